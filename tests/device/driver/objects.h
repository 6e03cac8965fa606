// Every live handle of a kind, so that a stale one is an error and not a crash.
#pragma once
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace device {

template <class T>
class Objects {
 public:
    static T* add(std::shared_ptr<T> object) {
        Table& table = instance();
        std::lock_guard lock(table.mutex);
        T* handle = object.get();
        table.objects[handle] = std::move(object);
        return handle;
    }

    static std::shared_ptr<T> find(const T* handle) {
        Table& table = instance();
        std::lock_guard lock(table.mutex);
        auto entry = table.objects.find(const_cast<T*>(handle));
        return entry == table.objects.end() ? nullptr : entry->second;
    }

    // The object, no longer known by its handle; it lives on as long as work refers to it.
    static std::shared_ptr<T> remove(T* handle) {
        Table& table = instance();
        std::lock_guard lock(table.mutex);
        auto entry = table.objects.find(handle);
        if (entry == table.objects.end()) return nullptr;
        std::shared_ptr<T> object = std::move(entry->second);
        table.objects.erase(entry);
        return object;
    }

    static std::vector<std::shared_ptr<T>> all() {
        Table& table = instance();
        std::lock_guard lock(table.mutex);
        std::vector<std::shared_ptr<T>> objects;
        for (const auto& [handle, object] : table.objects) objects.push_back(object);
        return objects;
    }

 private:
    struct Table {
        std::mutex mutex;
        std::unordered_map<T*, std::shared_ptr<T>> objects;
    };

    // Never destroyed: worker threads may outlive it.
    static Table& instance() {
        static auto& table = *new Table;
        return table;
    }
};

// Guards which stream records into which graph.
inline std::mutex& capture_mutex() {
    static auto& mutex = *new std::mutex;
    return mutex;
}

}  // namespace device
