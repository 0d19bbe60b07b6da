#include "support/base64.hpp"
#include "support/files.hpp"

#include <distributo/plugin.hpp>

#include <openssl/evp.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace {

/// Large enough that the calls do not count, small enough that a cancel is obeyed at once.
constexpr std::size_t chunk_bytes = std::size_t{1} << 20;

enum class Algorithm { sha256, sha512, blake2b512, blake2s256 };
BOOST_DESCRIBE_ENUM(Algorithm, sha256, sha512, blake2b512, blake2s256)

struct Request {
    std::optional<std::string> path;
    std::optional<std::string> text;
    std::optional<std::string> base64;
    std::optional<Algorithm> algorithm;
    std::optional<std::string> expect;
};
BOOST_DESCRIBE_STRUCT(Request, (), (path, text, base64, algorithm, expect))

struct Digest {
    Algorithm algorithm = Algorithm::sha256;
    std::string digest;
    std::uint64_t bytes = 0;
};
BOOST_DESCRIBE_STRUCT(Digest, (), (algorithm, digest, bytes))

struct Free {
    void operator()(EVP_MD* method) const { EVP_MD_free(method); }
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Method = std::unique_ptr<EVP_MD, Free>;

/// One digest that is being computed.
class Running {
public:
    explicit Running(const EVP_MD* method) : context_(EVP_MD_CTX_new()) {
        require(context_ != nullptr && EVP_DigestInit_ex2(context_.get(), method, nullptr) == 1);
    }

    void add(std::span<const std::byte> data) {
        require(EVP_DigestUpdate(context_.get(), data.data(), data.size()) == 1);
    }

    std::string hex() {
        std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
        unsigned size = 0;
        require(EVP_DigestFinal_ex(context_.get(), bytes.data(), &size) == 1);
        std::string out;
        for (const unsigned char byte : std::span(bytes).first(size)) {
            out.push_back("0123456789abcdef"[byte >> 4]);
            out.push_back("0123456789abcdef"[byte & 15]);
        }
        return out;
    }

private:
    static void require(bool done) {
        if (!done) {
            throw distributo::retry("OpenSSL could not compute the digest");
        }
    }

    std::unique_ptr<EVP_MD_CTX, Free> context_;
};

/// The expected digest in small letters; empty when none was given.
std::string expectation(const Request& request, std::size_t digits, const std::string& algorithm) {
    std::string wanted = request.expect.value_or("");
    if (request.expect && wanted.size() != digits) {
        throw distributo::permanent("payload.expect: expected the " + std::to_string(digits) +
                                    " hexadecimal digits of " + algorithm + ", got " +
                                    std::to_string(wanted.size()) + " characters");
    }
    for (char& digit : wanted) {
        if (digit >= 'A' && digit <= 'F') {
            digit = static_cast<char>(digit - 'A' + 'a');
        }
    }
    if (wanted.find_first_not_of("0123456789abcdef") != std::string::npos) {
        throw distributo::permanent("payload.expect: \"" + wanted + "\" is not hexadecimal");
    }
    return wanted;
}

std::uint64_t add_file(Running& digest, const std::string& path, const distributo::Task& task) {
    support::Input file("payload.path", path);
    std::vector<std::byte> chunk(chunk_bytes);
    std::uint64_t done = 0;
    for (std::size_t got = chunk.size(); got == chunk.size();) {
        task.check();
        got = file.read(chunk);
        digest.add(std::span(chunk).first(got));
        done += got;
        task.progress(
            file.size() == 0 ? 1 : static_cast<double>(done) / static_cast<double>(file.size()));
    }
    file.require_unchanged();
    return done;
}

std::uint64_t add_input(Running& digest, const Request& request, const distributo::Task& task) {
    if (request.path) {
        return add_file(digest, *request.path, task);
    }
    if (request.text) {
        digest.add(std::as_bytes(std::span(*request.text)));
        return request.text->size();
    }
    const auto bytes = support::from_base64(*request.base64);
    if (!bytes) {
        throw distributo::permanent(
            "payload.base64: not base64: expected A-Z a-z 0-9 + / in groups of four, padded "
            "with =");
    }
    digest.add(*bytes);
    return bytes->size();
}

class Hasher {
public:
    Hasher() {
        const std::array names{"SHA2-256", "SHA2-512", "BLAKE2B-512", "BLAKE2S-256"};
        for (std::size_t i = 0; i < names.size(); ++i) {
            methods_[i].reset(EVP_MD_fetch(nullptr, names[i], nullptr));
            if (!methods_[i]) {
                throw distributo::retry_elsewhere(std::string("OpenSSL of this host has no ") +
                                                  names[i]);
            }
        }
    }

    Digest digest(const Request& request, distributo::Task& task) const {
        if (request.path.has_value() + request.text.has_value() + request.base64.has_value() != 1) {
            throw distributo::permanent("payload: expected exactly one of path, text and base64");
        }
        const Algorithm algorithm = request.algorithm.value_or(Algorithm::sha256);
        const std::string name = boost::describe::enum_to_string(algorithm, "");
        const EVP_MD* const method = methods_[static_cast<std::size_t>(algorithm)].get();
        const std::string wanted =
            expectation(request, 2 * static_cast<std::size_t>(EVP_MD_get_size(method)), name);

        Running running(method);
        const std::uint64_t bytes = add_input(running, request, task);
        const std::string got = running.hex();
        if (!wanted.empty() && got != wanted) {
            throw distributo::permanent(request.path.value_or("the input") + ": " + name + " is " +
                                        got + ", expected " + wanted);
        }
        return {algorithm, got, bytes};
    }

private:
    std::array<Method, 4> methods_;
};

}  // namespace

DISTRIBUTO_PLUGIN("distributo.hash",
                  "1.0.0",
                  distributo::task_type<&Hasher::digest>("hash.digest")
                      .summary("Computes or verifies the digest of a file or a text")
                      .idempotent(),
                  distributo::license("MIT"));
