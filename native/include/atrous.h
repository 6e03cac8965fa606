// atrous.h: the whole C ABI of libatrous, the CPU side of Atrous.
//
// Every function that can fail returns an atrous_status; the message of the last failure on this thread is
// atrous_last_error(). Handles are opaque and freed by their own _destroy, which accepts null. Functions are safe to
// call from any thread; one engine may serve many callers at once.
//
// Tensors are NHWC views that own nothing: element (n, y, x, c) lies at
//     data[((n * height + y) * width + x) * pixel_stride + c]
// so a view of some channels of a wider tensor (a concat slice) is the same struct with a larger pixel_stride.
// Elements are float32, or bfloat16 for a network that is stored so; all arithmetic is float32. Unless a function says
// otherwise its tensors are of one type. Input and output views must not overlap unless a function says so.
//
// Of a quantised network they are uint8: element e stands for step * (e - zero). A function that takes uint8 says so;
// the others refuse it. What it computes then is given to the letter, in float32 with a rounding after every operation,
// and rint(x) is x rounded to the nearest integer, ties to even: every instruction set and every number of threads
// gives the same bits (but for activations that take an exponential). A number y is written as uint8 so, whatever wrote
// it:
//     quantise(y) = rint(min(255, max(0, y * (1 / step) + zero))), which makes 0 of a NaN.
#ifndef ATROUS_H
#define ATROUS_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32) && defined(ATROUS_BUILD)
#define ATROUS_API __declspec(dllexport)
#elif defined(__GNUC__) && !defined(_WIN32)
#define ATROUS_API __attribute__((visibility("default")))
#else
#define ATROUS_API
#endif

#ifdef __cplusplus
#define ATROUS_NODISCARD [[nodiscard]]
extern "C" {
#else
#define ATROUS_NODISCARD
#endif

typedef enum atrous_status {
    ATROUS_OK = 0,
    ATROUS_INVALID_ARGUMENT = 1,  // a caller's mistake: shapes that do not fit, a null pointer
    ATROUS_OUT_OF_MEMORY = 2,
    ATROUS_UNSUPPORTED = 3,  // this build or this processor cannot do it (an ISA that the CPU lacks)
    ATROUS_TOO_LARGE = 4,    // more than fits the counters of a step
    ATROUS_INTERNAL = 5,     // a bug in libatrous
    ATROUS_NOT_FINITE = 6    // scores that are no numbers, of which no label is right
} atrous_status;

// The message of the last failure on the calling thread, UTF-8; "" when there was none. Valid until the next call.
ATROUS_API const char* atrous_last_error(void);

// Handles created and not yet destroyed, of all kinds, in the whole process. For leak checks.
ATROUS_API int64_t atrous_live_handles(void);

// ---- Memory ----

// A block of at least bytes (at least 1), of unspecified content, aligned to 2 MiB; size is what it holds. It is one
// that was given back, where one fits: the system would map and clear every page of a new one.
ATROUS_NODISCARD ATROUS_API atrous_status atrous_take_block(int64_t bytes, void** block, int64_t* size);

// The block, which may be null, with its size; it is kept for the next that is taken, up to 256 MiB in the process.
ATROUS_API void atrous_give_back_block(void* block, int64_t size);

// Gives what is kept back to the system, the blocks of a CRF among it: for who expects to need none soon.
ATROUS_API void atrous_release_idle_memory(void);

// ---- Engine: a thread pool and an instruction set ----

typedef struct atrous_engine atrous_engine;

// threads: at least 1 (the calling thread is one of them); 0 means one per core that this process may use.
// The instruction set is the best that the CPU has, or the one that the environment variable ATROUS_ISA names
// (baseline; avx2, avxvnni, avx512, avx512vnni, avx512bf16 on x86-64; neon, neonbf16 on ARM64); naming one that the CPU
// lacks, or none at all, is ATROUS_UNSUPPORTED.
ATROUS_NODISCARD ATROUS_API atrous_status atrous_engine_create(int32_t threads, atrous_engine** engine);
ATROUS_API void atrous_engine_destroy(atrous_engine* engine);
ATROUS_API const char* atrous_engine_isa(const atrous_engine* engine);  // as ATROUS_ISA names it
ATROUS_API int32_t atrous_engine_threads(const atrous_engine* engine);
// Around a run of many calls: of several at a time each has its caller's thread, and all together those of the engine.
ATROUS_API void atrous_engine_begin_run(atrous_engine* engine);
ATROUS_API void atrous_engine_end_run(atrous_engine* engine);
// ATROUS_OK where convolutions of bfloat16 can be had, which takes an instruction for their products; else
// ATROUS_UNSUPPORTED with the reason.
ATROUS_NODISCARD ATROUS_API atrous_status atrous_engine_require_bfloat16(const atrous_engine* engine);

// ---- Tensors and activations ----

typedef enum atrous_type { ATROUS_FLOAT32 = 0, ATROUS_BFLOAT16 = 1, ATROUS_UINT8 = 2 } atrous_type;

typedef struct atrous_tensor {
    void* data;
    int64_t pixel_stride;  // elements from one pixel to the next, at least channels
    int32_t batch, height, width, channels;
    int32_t type;  // atrous_type
    // Of uint8 only: an element e stands for step * (e - zero). step is finite and above 0, zero from 0 to 255.
    float step;
    int32_t zero;
} atrous_tensor;

typedef enum atrous_activation {
    ATROUS_ACTIVATION_NONE = 0,
    ATROUS_ACTIVATION_RELU = 1,
    ATROUS_ACTIVATION_RELU6 = 2,
    ATROUS_ACTIVATION_LEAKY_RELU = 3,    // x < 0 ? slope * x : x
    ATROUS_ACTIVATION_HARD_SWISH = 4,    // x * min(max(x + 3, 0), 6) / 6
    ATROUS_ACTIVATION_HARD_SIGMOID = 5,  // min(max(x + 3, 0), 6) / 6
    ATROUS_ACTIVATION_SIGMOID = 6,
    ATROUS_ACTIVATION_SILU = 7,  // x * sigmoid(x)
    ATROUS_ACTIVATION_GELU = 8   // x * (1 + erf(x / sqrt(2))) / 2
} atrous_activation;

// ---- Convolution ----

typedef struct atrous_conv2d_desc {
    int32_t in_channels, out_channels;
    int32_t kernel_height, kernel_width;
    int32_t stride_height, stride_width;
    int32_t dilation_height, dilation_width;
    int32_t groups;      // in_channels for a depthwise convolution
    int32_t activation;  // atrous_activation, applied last: activation(convolution + bias + residual)
    float slope;         // of LEAKY_RELU
    int32_t type;        // atrous_type of the input, and of the packed weights
    // The input's size in most calls, at least 1: the algorithm is chosen for it. Every size works.
    int32_t usual_height, usual_width;
    int32_t zero;  // of a uint8 input, which its padding is filled with: 0 to 255. Else ignored
} atrous_conv2d_desc;

typedef struct atrous_conv2d atrous_conv2d;

// Packs a convolution's weights once; the handle then serves any picture size and any number of threads.
// weights: OIHW, [out_channels, in_channels / groups, kernel_height, kernel_width]; scale: one factor per output
// channel that multiplies the weights (a folded batch norm), or null; bias: one per output channel, or null. All are
// copied. Dense 3x3 convolutions at stride 1 may be computed by Winograd's minimal filtering (Lavin & Gray 2015), whose
// rounding error is a few 1e-6 of the output's standard deviation. The environment variable ATROUS_CONV (direct,
// winograd) forces one algorithm wherever it is possible; an unknown name is ATROUS_UNSUPPORTED. The weights of
// bfloat16 convolutions are rounded to it when they are packed (not those of depthwise ones, which are few, nor those
// of Winograd's algorithm, whose products are float32's); where atrous_engine_require_bfloat16 refuses, so does this.
//
// The weights of uint8 convolutions are quantised to int8 here, output channel by output channel. With w' = w * scale
// (w without a scale) a channel's step is s = max|w'| / 127, or 1 where all are 0, and its weights are q = rint(w' /
// s), -127 to 127. A window of more than 66311 inputs (518 of a depthwise one) is ATROUS_TOO_LARGE: sums are of 32
// bits.
ATROUS_NODISCARD ATROUS_API atrous_status atrous_conv2d_create(const atrous_engine* engine,
                                                               const atrous_conv2d_desc* desc, const float* weights,
                                                               const float* scale, const float* bias,
                                                               atrous_conv2d** conv);
ATROUS_API void atrous_conv2d_destroy(atrous_conv2d* conv);

// output = activation(conv(input) + bias + residual). Zeros lie outside the input; pad_top and pad_left say where the
// window starts, and the output's height and width say where it ends (so asymmetric padding needs nothing more).
// residual: null, or a view of the output's shape and type; it may be the output itself. The output
// may be of another type than the input.
//
// A uint8 convolution's input is uint8 with the zero of the description (z_in; its step is s_in), its output uint8 or
// float32. acc is the sum of (input - z_in) * q over the taps inside; to uint8, of step s_out and zero z_out,
//     y = acc * ((s_in * s) / s_out) + (bias / s_out + z_out)  [+ (residual - z_res) * (s_res / s_out)]
//     element = rint(min(high, max(low, y)))
// with low z_out of RELU and RELU6, 0 of NONE; high min(255, 6 / s_out + z_out) of RELU6, else 255. Other activations
// have no such form and are refused. To float32,
//     y = activation(acc * (s_in * s) + bias [+ residual]).
// A float32 convolution may write uint8, which is quantise(y), where there is no residual and the convolution is
// neither depthwise nor forced to Winograd's algorithm.
ATROUS_NODISCARD ATROUS_API atrous_status atrous_conv2d_run(atrous_engine* engine, const atrous_conv2d* conv,
                                                            const atrous_tensor* input, int32_t pad_top,
                                                            int32_t pad_left, const atrous_tensor* residual,
                                                            const atrous_tensor* output);

// A depthwise convolution and a 1x1 convolution at stride 1 that alone reads it, in one: what is between them, of the
// second one's type, never leaves the cache. Otherwise as atrous_conv2d_run: input, pad_top and pad_left are the
// depthwise convolution's, residual and output the other's. The same values as the two runs give. Refuses uint8.
ATROUS_NODISCARD ATROUS_API atrous_status atrous_separable_run(atrous_engine* engine, const atrous_conv2d* depthwise,
                                                               const atrous_conv2d* pointwise,
                                                               const atrous_tensor* input, int32_t pad_top,
                                                               int32_t pad_left, const atrous_tensor* residual,
                                                               const atrous_tensor* output);

// ---- Pooling ----

typedef struct atrous_pool_desc {
    int32_t kernel_height, kernel_width;
    int32_t stride_height, stride_width;
    int32_t pad_top, pad_left;
} atrous_pool_desc;

// Cells outside the input never win; every window must touch the input. The output's size ends the walk (ceil mode or
// not). Takes uint8 where input and output have one step and one zero, as do the average and the resize below.
ATROUS_NODISCARD ATROUS_API atrous_status atrous_max_pool(atrous_engine* engine, const atrous_tensor* input,
                                                          const atrous_pool_desc* desc, const atrous_tensor* output);
// Mean over the cells of the window that lie inside the input. Global average pooling: kernel = the input's size. Of
// uint8: rint(sum / cells) with the exact sum, of at most 2^23 cells (ATROUS_TOO_LARGE beyond).
ATROUS_NODISCARD ATROUS_API atrous_status atrous_average_pool(atrous_engine* engine, const atrous_tensor* input,
                                                              const atrous_pool_desc* desc,
                                                              const atrous_tensor* output);

// ---- Bilinear resize ----

typedef enum atrous_sampling {
    ATROUS_SAMPLING_HALF_PIXEL = 0,     // align_corners=false: src = (dst + 0.5) * scale - 0.5, clamped to >= 0
    ATROUS_SAMPLING_ALIGN_CORNERS = 1,  // align_corners=true: src = dst * (in - 1) / (out - 1); 0 where out = 1
    ATROUS_SAMPLING_ASYMMETRIC = 2      // TensorFlow's legacy grid: src = dst * scale
} atrous_sampling;

typedef struct atrous_resize_desc {
    int32_t sampling;                 // atrous_sampling
    float scale_height, scale_width;  // input pixels per output pixel; 0 means in / out. Unused by ALIGN_CORNERS
} atrous_resize_desc;

// Of uint8: rint of the mixed elements.
ATROUS_NODISCARD ATROUS_API atrous_status atrous_resize_bilinear(atrous_engine* engine, const atrous_tensor* input,
                                                                 const atrous_resize_desc* desc,
                                                                 const atrous_tensor* output);

// ---- Elementwise ----

// output = activation(input * scale + shift), per channel; null scale means 1, null shift 0. The two may be of
// different types, which makes it the conversion too. In place is allowed where they are not. From uint8, input is
// (element - zero) * step; to uint8, it is quantise(activation(...)).
ATROUS_NODISCARD ATROUS_API atrous_status atrous_affine(atrous_engine* engine, const atrous_tensor* input,
                                                        const float* scale, const float* shift, int32_t activation,
                                                        float slope, const atrous_tensor* output);

typedef enum atrous_binary { ATROUS_ADD = 0, ATROUS_MULTIPLY = 1, ATROUS_MAXIMUM = 2 } atrous_binary;

// output = activation(a op b). b has a's shape, or is 1x1 in space and broadcast. In place (output = a) is allowed.
// All three may be uint8, each with a step and a zero of its own: converted and quantised as in atrous_affine.
ATROUS_NODISCARD ATROUS_API atrous_status atrous_binary_op(atrous_engine* engine, int32_t op, const atrous_tensor* a,
                                                           const atrous_tensor* b, int32_t activation, float slope,
                                                           const atrous_tensor* output);

// Copies input into output (a concat slice, say). The two have one batch and channel count; output's pixel (y, x) is
// input's pixel (y + top, x + left), so a crop is a copy with an offset. Beyond its borders the input is mirrored, and
// the outermost pixels are not repeated, as far as it reaches once. An input of 1x1 is broadcast instead. Takes uint8
// where the two have one step and one zero.
ATROUS_NODISCARD ATROUS_API atrous_status atrous_copy(atrous_engine* engine, const atrous_tensor* input, int32_t top,
                                                      int32_t left, const atrous_tensor* output);

// ---- Attention, and the norms of its networks ----

// output = (input - mean) / sqrt(variance + epsilon) * scale[c] + shift[c], with the mean and variance of each pixel's
// channels or, where whole_picture is not 0, of everything in its picture. input is float32, output of either type; in
// place is allowed where it is float32.
ATROUS_NODISCARD ATROUS_API atrous_status atrous_layer_norm(atrous_engine* engine, const atrous_tensor* input,
                                                            const float* scale, const float* shift, float epsilon,
                                                            int32_t whole_picture, const atrous_tensor* output);

// Each channel's factor of global response normalisation: output[c] = 1 + scale[c] * norm[c] / (mean + epsilon), where
// norm[c] is the square root of the sum of the channel's squares over the picture and mean the norms' mean. Both are
// float32; output is batch x 1 x 1 x channels.
ATROUS_NODISCARD ATROUS_API atrous_status atrous_global_response(atrous_engine* engine, const atrous_tensor* input,
                                                                 const float* scale, float epsilon,
                                                                 const atrous_tensor* output);

// Scaled dot-product attention: output = softmax(scale * queries keys^T) values, float32. Tokens are pixels; a head has
// an even share of the channels, of which all four tensors have as many. The pixels at one place of their patch x patch
// squares are a sequence of its own, so patch divides every height and width; 1 makes one sequence of a picture. Keys
// and values have one shape; output has the shape of queries.
ATROUS_NODISCARD ATROUS_API atrous_status atrous_attention(atrous_engine* engine, const atrous_tensor* queries,
                                                           const atrous_tensor* keys, const atrous_tensor* values,
                                                           int32_t heads, float scale, int32_t patch,
                                                           const atrous_tensor* output);

// Separable self-attention, float32: with sequences as above, output = max(values, 0) * sum over the sequence of
// softmax(scores) * keys. scores has one channel; keys, values and output have one shape.
ATROUS_NODISCARD ATROUS_API atrous_status atrous_linear_attention(atrous_engine* engine, const atrous_tensor* scores,
                                                                  const atrous_tensor* keys,
                                                                  const atrous_tensor* values, int32_t patch,
                                                                  const atrous_tensor* output);

// ---- Scores to labels ----

// Softmax along the channels, float32. Where slices is more than 1 the channels are as many slices of one width, and
// the softmax is among the slices, for each channel of a slice by itself. In place is allowed.
ATROUS_NODISCARD ATROUS_API atrous_status atrous_softmax(atrous_engine* engine, const atrous_tensor* input,
                                                         int32_t slices, const atrous_tensor* output);

// The class of every pixel of a height x width label map, from float32 logits that are resized to it, but never held
// so. labels: null, or batch * height * width, the lowest index among equals. confidence: null, or the softmax
// probability of that class, same size. One is asked for. ATROUS_NOT_FINITE where a logit is NaN or plus infinity.
ATROUS_NODISCARD ATROUS_API atrous_status atrous_resize_argmax(atrous_engine* engine, const atrous_tensor* logits,
                                                               const atrous_resize_desc* desc, int32_t height,
                                                               int32_t width, uint16_t* labels, float* confidence);

// ---- Images: 8-bit, interleaved ----

typedef struct atrous_image {
    uint8_t* pixels;                  // channel c of pixel (y, x) is at y * row_stride + x * channels + c
    int32_t height, width, channels;  // channels: 1 grey, 2 grey+alpha, 3 RGB, 4 RGBA
    int64_t row_stride;               // bytes from a row to the next; 0: packed, width * channels
} atrous_image;

typedef enum atrous_filter {
    ATROUS_FILTER_BILINEAR = 0,       // Pillow's BILINEAR: the triangle widens when shrinking (antialiased)
    ATROUS_FILTER_BICUBIC = 1,        // Pillow's BICUBIC, a = -0.5
    ATROUS_FILTER_NEAREST = 2,        // Pillow's NEAREST: src = floor((dst + 0.5) * in / out)
    ATROUS_FILTER_BILINEAR_PLAIN = 3  // two taps whatever the scale (OpenCV INTER_LINEAR, torch without antialias)
} atrous_filter;

// Resizes to output's height and width (allocated by the caller), bit-exact with Pillow for the first three filters.
ATROUS_NODISCARD ATROUS_API atrous_status atrous_image_resize(atrous_engine* engine, const atrous_image* input,
                                                              int32_t filter, const atrous_image* output);

// What turns bytes into the network's input: output(c) = (pixel(order[c]) * scale - mean[c]) / std[c], where the
// picture lies inside the float32 tensor at (top, left) and the rest is fill[c] (a byte value, normalised like a
// pixel).
typedef struct atrous_normalize_desc {
    float scale;  // 1/255 or 1
    int32_t top, left;
    const float* mean;     // output channels
    const float* std;      // output channels
    const float* fill;     // output channels, in pixel units
    const int32_t* order;  // output channels: which image channel each one reads (2,1,0 for BGR)
} atrous_normalize_desc;

ATROUS_NODISCARD ATROUS_API atrous_status atrous_normalize(atrous_engine* engine, const atrous_image* image,
                                                           const atrous_normalize_desc* desc,
                                                           const atrous_tensor* output);

// ---- Fully-connected CRF ----

// Kraehenbuhl and Koltun 2011, "Efficient Inference in Fully Connected CRFs with Gaussian Edge Potentials", filtered on
// the permutohedral lattice, with the results of pydensecrf. The engine must outlive the handle. One caller at a time.
typedef struct atrous_crf atrous_crf;

typedef struct atrous_crf_desc {
    int32_t height, width;  // pixel (y, x) is number y * width + x; a CRF that is no picture has height 1
    int32_t labels;
    int64_t memory_limit;  // bytes that the handle may hold; 0: what the system has. ATROUS_OUT_OF_MEMORY beyond
} atrous_crf_desc;

typedef enum atrous_crf_form {
    ATROUS_CRF_ENERGY = 0,       // negative log-probabilities, as pydensecrf's setUnaryEnergy takes them
    ATROUS_CRF_PROBABILITY = 1,  // -log(p), as pydensecrf's unary_from_softmax makes them
    ATROUS_CRF_LOGIT = 2         // -log(softmax over the labels)
} atrous_crf_form;

// The score of label l at pixel p is data[l * label_stride + p * pixel_stride].
typedef struct atrous_crf_scores {
    const float* data;
    int64_t label_stride, pixel_stride;
    int32_t form;  // atrous_crf_form
    float scale;   // p becomes scale * p + (1 - scale) / labels first; 1 changes nothing. Not for energies
    float clip;    // p becomes at least this; 0 changes nothing. Not for energies
} atrous_crf_scores;

// With n = K(1) for the kernel matrix K. A pixel's own term k(i, i) stays in the sum.
typedef enum atrous_crf_normalization {
    ATROUS_CRF_NORMALIZE_NONE = 0,      // K q
    ATROUS_CRF_NORMALIZE_BEFORE = 1,    // K (q / n)
    ATROUS_CRF_NORMALIZE_AFTER = 2,     // (K q) / n
    ATROUS_CRF_NORMALIZE_SYMMETRIC = 3  // (K (q / sqrt n)) / sqrt n
} atrous_crf_normalization;

typedef enum atrous_crf_compatibility {
    ATROUS_CRF_POTTS = 0,     // 1 value w: the message w q attracts
    ATROUS_CRF_DIAGONAL = 1,  // labels values v: the message -v q, so negative values attract
    ATROUS_CRF_MATRIX = 2     // labels x labels values m: the message -(m + m^T) / 2 q
} atrous_crf_compatibility;

typedef struct atrous_crf_kernel {
    int32_t normalization;              // atrous_crf_normalization
    int32_t compatibility;              // atrous_crf_compatibility
    const float* compatibility_values;  // copied
} atrous_crf_kernel;

ATROUS_NODISCARD ATROUS_API atrous_status atrous_crf_create(atrous_engine* engine, const atrous_crf_desc* desc,
                                                            atrous_crf** crf);
ATROUS_API void atrous_crf_destroy(atrous_crf* crf);

// The unaries, 0 until set. Scores that are not finite, or become so, are refused; then others must be set first.
ATROUS_NODISCARD ATROUS_API atrous_status atrous_crf_set_unary(atrous_crf* crf, const atrous_crf_scores* scores);

// Adds a kernel exp(-|f(p) - f(q)|^2 / 2). Kernels act in the order in which they are added. The features f are
// x / sigma_x, y / sigma_y;
ATROUS_NODISCARD ATROUS_API atrous_status atrous_crf_add_gaussian(atrous_crf* crf, float sigma_x, float sigma_y,
                                                                  const atrous_crf_kernel* kernel);
// x / sigma_x, y / sigma_y, and each channel / its sigma, for an image of the CRF's size with 1 to 4 channels;
ATROUS_NODISCARD ATROUS_API atrous_status atrous_crf_add_bilateral(atrous_crf* crf, float sigma_x, float sigma_y,
                                                                   const float* sigma_channels,
                                                                   const atrous_image* image,
                                                                   const atrous_crf_kernel* kernel);
// or any: features is dims x pixels, 1 to 256 dims. Features some ten thousands from 0 (tiny sigmas) are refused.
ATROUS_NODISCARD ATROUS_API atrous_status atrous_crf_add_features(atrous_crf* crf, int32_t dims, const float* features,
                                                                  const atrous_crf_kernel* kernel);

// Sets the beliefs Q to softmax(-unary), then updates them by mean field.
ATROUS_NODISCARD ATROUS_API atrous_status atrous_crf_start(atrous_crf* crf);
ATROUS_NODISCARD ATROUS_API atrous_status atrous_crf_step(atrous_crf* crf, int32_t iterations);
// KL(Q || P) without the constant log Z.
ATROUS_NODISCARD ATROUS_API atrous_status atrous_crf_kl_divergence(atrous_crf* crf, double* divergence);
// Writes Q: label l of pixel p to beliefs[l * label_stride + p * pixel_stride].
ATROUS_NODISCARD ATROUS_API atrous_status atrous_crf_beliefs(const atrous_crf* crf, float* beliefs,
                                                             int64_t label_stride, int64_t pixel_stride);
// The most probable label of every pixel, the lowest among equals: height * width.
ATROUS_NODISCARD ATROUS_API atrous_status atrous_crf_labels(const atrous_crf* crf, uint16_t* labels);

#ifdef __cplusplus
}
#endif
#endif  // ATROUS_H
