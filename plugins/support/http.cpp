#include "http.hpp"

#include <distributo/plugin.hpp>

#include <algorithm>
#include <array>
#include <curl/curl.h>
#include <new>
#include <utility>

namespace support {

namespace {

struct FreeHandle {
    void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct FreeList {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Headers = std::unique_ptr<curl_slist, FreeList>;

/// Where an answer goes while it comes in.
struct Receiver {
    const HttpRequest& request;
    HttpResponse response{};
    bool cancelled = false;
};

std::size_t receive(char* data, std::size_t, std::size_t size, void* context) {
    Receiver& receiver = *static_cast<Receiver*>(context);
    std::string& body = receiver.response.body;
    const std::size_t taken = std::min(size, receiver.request.max_bytes - body.size());
    body.append(data, taken);
    receiver.response.cut = taken < size;
    return taken;  // fewer than it got end the transfer
}

int ask_cancelled(void* context, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    Receiver& receiver = *static_cast<Receiver*>(context);
    receiver.cancelled = receiver.request.cancelled && receiver.request.cancelled();
    return receiver.cancelled ? 1 : 0;
}

Headers list_of(const std::vector<std::string>& lines) {
    Headers list;
    for (const std::string& line : lines) {
        curl_slist* const longer = curl_slist_append(list.get(), line.c_str());
        if (longer == nullptr) {
            throw std::bad_alloc();
        }
        static_cast<void>(list.release());
        list.reset(longer);
    }
    return list;
}

std::string text_of(CURL* handle, CURLINFO what) {
    const char* text = nullptr;
    curl_easy_getinfo(handle, what, &text);
    return text == nullptr ? "" : text;
}

long number_of(CURL* handle, CURLINFO what) {
    long number = 0;
    curl_easy_getinfo(handle, what, &number);
    return number;
}

/// libcurl asks for this before the first thread of a process uses it.
void prepare_library() {
    static const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
    if (code != CURLE_OK) {
        throw distributo::retry(std::string("libcurl cannot be used: ") + curl_easy_strerror(code));
    }
}

[[noreturn]] void fail(const HttpRequest& request, CURLcode code, const char* details) {
    const std::string message =
        request.shown + ": " + (*details == '\0' ? curl_easy_strerror(code) : details);
    if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL) {
        throw distributo::permanent(message);
    }
    throw distributo::retry(message);
}

}  // namespace

struct HttpClient::Impl {
    std::unique_ptr<CURL, FreeHandle> handle;
    std::array<char, CURL_ERROR_SIZE> error{};

    void prepare(Receiver& receiver, const Headers& headers) {
        CURL* const curl = handle.get();
        const HttpRequest& request = receiver.request;
        curl_easy_reset(curl);  // connections stay
        error.front() = '\0';
        curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error.data());
        curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);  // other threads may run beside
        curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
        curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
        curl_easy_setopt(curl, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
        curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
        if (!request.user_agent.empty()) {
            curl_easy_setopt(curl, CURLOPT_USERAGENT, request.user_agent.c_str());
        }
        if (request.body) {
            curl_easy_setopt(curl, CURLOPT_POST, 1L);
            curl_easy_setopt(
                curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body->size()));
            curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body->data());
        }
        if (!request.ca_file.empty()) {
            curl_easy_setopt(curl, CURLOPT_CAINFO, request.ca_file.c_str());
        }
        curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &receive);
        curl_easy_setopt(curl, CURLOPT_WRITEDATA, &receiver);
        curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, &ask_cancelled);
        curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &receiver);
        curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    }
};

HttpClient::HttpClient() {
    prepare_library();
    impl_ = std::make_unique<Impl>();
    impl_->handle.reset(curl_easy_init());
    if (!impl_->handle) {
        throw std::bad_alloc();
    }
}

HttpClient::~HttpClient() = default;

HttpResponse HttpClient::send(const HttpRequest& request) {
    Receiver receiver{request};
    const Headers headers = list_of(request.headers);
    impl_->prepare(receiver, headers);
    CURL* const curl = impl_->handle.get();
    const CURLcode code = curl_easy_perform(curl);
    if (receiver.cancelled) {
        throw distributo::Cancelled();
    }
    if (code != CURLE_OK && !(code == CURLE_WRITE_ERROR && receiver.response.cut)) {
        fail(request, code, impl_->error.data());
    }
    HttpResponse& response = receiver.response;
    response.status = static_cast<int>(number_of(curl, CURLINFO_RESPONSE_CODE));
    response.content_type = text_of(curl, CURLINFO_CONTENT_TYPE);
    response.location = text_of(curl, CURLINFO_REDIRECT_URL);
    curl_off_t wait = 0;
    curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &wait);
    response.retry_after = std::chrono::seconds(wait);
    return std::move(response);
}

HttpResponse HttpClients::send(const HttpRequest& request) {
    std::unique_ptr<HttpClient> client;
    {
        const std::lock_guard lock(mutex_);
        if (!idle_.empty()) {
            client = std::move(idle_.back());
            idle_.pop_back();
        }
    }
    if (!client) {
        client = std::make_unique<HttpClient>();
    }
    HttpResponse response = client->send(request);  // one that threw is not used again
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(client));
    return response;
}

}  // namespace support
