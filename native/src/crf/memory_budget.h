// Refuses what would not fit before it is allocated: an overcommitting system would kill the process later instead.
#ifndef ATROUS_CRF_MEMORY_BUDGET_H
#define ATROUS_CRF_MEMORY_BUDGET_H

#include <cstdint>
#include <string>

namespace atrous {

class memory_budget {
 public:
    // limit: bytes in all; 0 means what the system has left at each request. subject: what the memory is for.
    memory_budget(int64_t limit, std::string subject) : limit_(limit), subject_(std::move(subject)) {}

    // Throws ATROUS_OUT_OF_MEMORY, saying how much is needed and how much there is, when bytes more do not fit.
    void require(double bytes, const char* purpose) const;
    void take(int64_t bytes) { used_ += bytes; }
    void give_back(int64_t bytes) { used_ -= bytes; }

 private:
    int64_t limit_;
    int64_t used_ = 0;
    std::string subject_;
};

}  // namespace atrous

#endif  // ATROUS_CRF_MEMORY_BUDGET_H
