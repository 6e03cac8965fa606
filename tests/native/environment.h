// Variables of the environment, which Windows sets by another name.
#ifndef ATROUS_TESTS_ENVIRONMENT_H
#define ATROUS_TESTS_ENVIRONMENT_H

#include <cstdlib>

namespace atrous::tests {

// The variable has the value for as long as this lives, and none after; of a null value none at all.
class scoped_variable {
 public:
    scoped_variable(const char* name, const char* value) : name_(name) { set(value); }
    scoped_variable(const scoped_variable&) = delete;
    scoped_variable& operator=(const scoped_variable&) = delete;
    ~scoped_variable() { set(nullptr); }

 private:
    void set(const char* value) {
#if defined(_WIN32)
        _putenv_s(name_, value == nullptr ? "" : value);
#else
        value == nullptr ? unsetenv(name_) : setenv(name_, value, 1);
#endif
    }

    const char* name_;
};

}  // namespace atrous::tests

#endif  // ATROUS_TESTS_ENVIRONMENT_H
