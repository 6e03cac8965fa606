// Backend descriptors: bags of typed attributes that are checked one by one when they are set and together when they
// are finalised.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "program.h"

namespace dnn {

struct Descriptor;
using Child = std::shared_ptr<Descriptor>;

struct Descriptor {
    explicit Descriptor(DescriptorType type);
    ~Descriptor();
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;

    bool has(Attribute name) const { return values.count(name) != 0 || children.count(name) != 0; }

    template <class T>
    std::vector<T> all(Attribute name) const {
        auto entry = values.find(name);
        if (entry == values.end()) return {};
        auto* first = reinterpret_cast<const T*>(entry->second.data());
        return std::vector<T>(first, first + entry->second.size() / sizeof(T));
    }
    template <class T>
    T one(Attribute name, T otherwise) const {
        std::vector<T> found = all<T>(name);
        return found.empty() ? otherwise : found[0];
    }
    // FLOAT or DOUBLE, whichever was set.
    double number(Attribute name, double otherwise) const;
    const Descriptor& child(Attribute name) const { return *children.at(name)[0]; }

    const DescriptorType type;
    bool finalized = false;
    std::map<Attribute, std::vector<char>> values;
    std::map<Attribute, std::vector<Child>> children;
    // What finalising made of the attributes.
    Program program{};
    int64_t engine = 0;
};

// Attribute by attribute. The text of the last failure on this thread is kept.
Status set(Descriptor& descriptor, Attribute name, AttributeType type, int64_t count, const void* elements);
Status get(Descriptor& descriptor, Attribute name, AttributeType type, int64_t requested, int64_t* count,
           void* elements);
Status finalize(Descriptor& descriptor);

Status fail(Status status, const std::string& why);
const std::string& last_failure();

// By handle; null when it is not alive.
Child find(void* handle);
void* add(Child descriptor);
bool remove(void* handle);

struct Handle {
    void* stream = nullptr;
    bool has_run = false;
    // Where it ran last: a capture, or 0, and a stream that may be gone.
    uint64_t capture = 0;
    const void* captured_stream = nullptr;
};
bool is_handle(const void* handle);

}  // namespace dnn
