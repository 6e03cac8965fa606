// A driver that is too old: it loads, and offers next to nothing.
extern "C" __attribute__((visibility("default"))) int cuInit(unsigned) {
    return 0;
}
