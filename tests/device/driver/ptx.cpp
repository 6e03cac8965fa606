#include <algorithm>
#include <cstdio>
#include <map>
#include <sstream>

#include "module.h"

namespace device {
namespace {

constexpr int NEWEST_PTX_MAJOR = 9, NEWEST_PTX_MINOR = 0;  // what CUDA 13.0 compiles

// Comments become spaces of the same number of lines.
std::string without_comments(const std::string& text) {
    std::string plain;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text.compare(i, 2, "//") == 0) {
            while (i < text.size() && text[i] != '\n') ++i;
            plain += '\n';
        } else if (text.compare(i, 2, "/*") == 0) {
            size_t end = text.find("*/", i + 2);
            for (; i < text.size() && i < end + 1; ++i)
                if (text[i] == '\n') plain += '\n';
            plain += ' ';
        } else {
            plain += text[i];
        }
    }
    return plain;
}

size_t size_of_type(const std::string& type) {
    if (type.size() < 3 || type[0] != '.' || std::string("usbf").find(type[1]) == std::string::npos) return 0;
    const std::string bits = type.substr(2);
    return bits == "8" ? 1 : bits == "16" ? 2 : bits == "32" ? 4 : bits == "64" ? 8 : 0;
}

// ".param .align 8 .b8 name[40]" -> its bytes and alignment; 0 bytes when it is none.
Parameter parse_parameter(const std::string& text, size_t& alignment) {
    std::istringstream words(text);
    std::string word;
    size_t element = 0, elements = 1;
    alignment = 0;
    if (!(words >> word) || word != ".param") return {0, 0};
    while (words >> word) {
        if (word == ".ptr") {
            // A hint on what a pointer points at, its alignment included: says nothing about the parameter.
            while (words >> word && word[0] == '.')
                if (word == ".align") words >> word;
            continue;
        }
        if (word == ".align") {
            words >> alignment;
        } else if (size_t bytes = size_of_type(word); bytes != 0) {
            element = bytes;
        } else if (size_t bracket = word.find('['); bracket != std::string::npos) {
            elements = std::stoul(word.substr(bracket + 1));
        }
    }
    if (alignment == 0) alignment = element;
    return {0, element * elements};
}

bool parse_parameters(const std::string& list, std::vector<Parameter>& parameters) {
    std::istringstream parts(list);
    std::string part;
    size_t offset = 0;
    while (std::getline(parts, part, ',')) {
        if (part.find_first_not_of(" \t\r\n") == std::string::npos) continue;
        size_t alignment;
        Parameter parameter = parse_parameter(part, alignment);
        if (parameter.bytes == 0) return false;
        parameter.offset = (offset + alignment - 1) / alignment * alignment;
        offset = parameter.offset + parameter.bytes;
        parameters.push_back(parameter);
    }
    return true;
}

size_t line_of(const std::string& text, size_t position) {
    return 1 + static_cast<size_t>(std::count(text.begin(), text.begin() + static_cast<long>(position), '\n'));
}

}  // namespace

std::shared_ptr<Module> parse_ptx(const std::string& text, std::string& log, CUresult& error) {
    const std::string plain = without_comments(text);
    auto fail = [&](CUresult result, const std::string& why) {
        log = why;
        error = result;
        return nullptr;
    };
    if (log = failing_jit(); !log.empty()) return fail(CUDA_ERROR_INVALID_PTX, log);

    size_t version = plain.find(".version");
    int major = 0, minor = 0;
    if (version == std::string::npos || std::sscanf(plain.c_str() + version, ".version %d.%d", &major, &minor) != 2)
        return fail(CUDA_ERROR_INVALID_PTX, "ptxas fatal : Missing .version directive at start of file");
    if (major > NEWEST_PTX_MAJOR || (major == NEWEST_PTX_MAJOR && minor > NEWEST_PTX_MINOR))
        return fail(CUDA_ERROR_UNSUPPORTED_PTX_VERSION,
                    "ptxas fatal : Unsupported .version " + std::to_string(major) + "." + std::to_string(minor));
    size_t target = plain.find(".target");
    int architecture = 0;
    if (target == std::string::npos || std::sscanf(plain.c_str() + target, ".target sm_%d", &architecture) != 1)
        return fail(CUDA_ERROR_INVALID_PTX, "ptxas fatal : Missing .target directive");
    if (architecture > capability())
        return fail(CUDA_ERROR_NO_BINARY_FOR_GPU,
                    "ptxas fatal : sm_" + std::to_string(architecture) + " is newer than the device");

    auto module = std::make_shared<Module>();
    for (size_t at = plain.find(".entry"); at != std::string::npos; at = plain.find(".entry", at + 1)) {
        size_t name = plain.find_first_not_of(" \t\r\n", at + 6);
        size_t name_end = plain.find_first_of(" \t\r\n(", name);
        size_t open = plain.find_first_not_of(" \t\r\n", name_end);
        auto function = std::make_unique<Function>();
        if (name_end == std::string::npos || open == std::string::npos)
            return fail(CUDA_ERROR_INVALID_PTX, "ptxas fatal : Unexpected end of file after .entry");
        function->name = plain.substr(name, name_end - name);
        size_t close = plain[open] == '(' ? plain.find(')', open) : open;
        if (close == std::string::npos ||
            (close > open && !parse_parameters(plain.substr(open + 1, close - open - 1), function->parameters)))
            return fail(CUDA_ERROR_INVALID_PTX, "ptxas line " + std::to_string(line_of(plain, open)) +
                                                    "; fatal : Parsing error in the parameters of " + function->name);
        function->host = find_host_kernel(function->name);
        module->functions[function->name] = std::move(function);
    }
    return module;
}

}  // namespace device
