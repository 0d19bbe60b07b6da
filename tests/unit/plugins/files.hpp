#pragma once

#include <distributo/testing.hpp>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <sys/resource.h>
#include <unistd.h>

/// Files for plugins to work on, in a folder that ends with this.
class Files {
public:
    [[nodiscard]] std::string path(const std::string& name) const {
        return (folder_.path() / name).string();
    }

    std::string write(const std::string& name, const std::string& content) const {
        std::ofstream(path(name), std::ios::binary) << content;
        return path(name);
    }

    [[nodiscard]] std::string read(const std::string& name) const {
        std::ifstream file(path(name), std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }

    /// The names of all files, sorted and separated by blanks.
    [[nodiscard]] std::string names() const {
        std::set<std::string> sorted;
        for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
            sorted.insert(entry.path().filename().string());
        }
        std::ostringstream out;
        for (const std::string& name : sorted) {
            out << (out.tellp() == 0 ? "" : " ") << name;
        }
        return out.str();
    }

private:
    distributo::testing::detail::TemporaryDirectory folder_;
};

/// While it lives, this process has the rights of an ordinary user, also when root runs the tests.
class OrdinaryUser {
public:
    OrdinaryUser() : before_(geteuid()) {
        constexpr uid_t nobody = 65534;
        became_ = before_ != 0 || seteuid(nobody) == 0;
    }
    OrdinaryUser(const OrdinaryUser&) = delete;
    OrdinaryUser& operator=(const OrdinaryUser&) = delete;
    ~OrdinaryUser() { restored_ = seteuid(before_) == 0; }

    [[nodiscard]] bool became() const { return became_; }

private:
    uid_t before_;
    bool became_ = false;
    bool restored_ = false;
};

/// While it lives, this process writes no file larger than this; writing on is an error.
class FileSizeLimit {
public:
    explicit FileSizeLimit(rlim_t bytes) {
        std::signal(SIGXFSZ, SIG_IGN);
        getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit limit{bytes, before_.rlim_max};
        setrlimit(RLIMIT_FSIZE, &limit);
    }
    FileSizeLimit(const FileSizeLimit&) = delete;
    FileSizeLimit& operator=(const FileSizeLimit&) = delete;
    ~FileSizeLimit() {
        setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, SIG_DFL);
    }

private:
    rlimit before_{};
};
