/*
 * atlas_postbooking.hpp - atlas_postbooking.h for C++11 and later.
 *
 *   apb::Client client = apb::Client::create(config);
 *   apb::Submitted submitted = client.refund(request);
 *   submitted.match([](const apb::Reply &executed) { ... },
 *                   [](const apb::Reply &not_executed) { ... },   // proved
 *                   [](const apb::Reply &unknown) { ... });       // query; do not submit again
 *
 * Reads and quotes return a Reply. Submits, which move money, return a Submitted: it gives access to its
 * reply only together with the outcome, so that an error cannot be taken for "not executed".
 * apb::Case is a case of a client with a store, by its key.
 *
 * Requests and replies are UTF-8 JSON in std::string; use any JSON library. The classes are move-only and
 * free what they own. Only Client(config), Reply::value() and Submitted::value() throw (and std::string,
 * if memory runs out); they do not exist with -fno-exceptions or APB_NO_EXCEPTIONS. Ownership, threads,
 * log receivers, fork: as in atlas_postbooking.h.
 */
#ifndef ATLAS_POSTBOOKING_HPP
#define ATLAS_POSTBOOKING_HPP

#include "atlas_postbooking.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#if defined(_MSVC_LANG)
#define APB_CPLUSPLUS _MSVC_LANG
#else
#define APB_CPLUSPLUS __cplusplus
#endif

#if APB_CPLUSPLUS >= 201703L
#include <optional>
#include <string_view>
#define APB_NODISCARD [[nodiscard]]
#define APB_NODISCARD_TYPE [[nodiscard]]
#elif defined(__GNUC__)
#define APB_NODISCARD __attribute__((warn_unused_result))
#else
#define APB_NODISCARD
#endif
#ifndef APB_NODISCARD_TYPE
#define APB_NODISCARD_TYPE
#endif

#if !defined(APB_NO_EXCEPTIONS) && (defined(__cpp_exceptions) || defined(__EXCEPTIONS) || defined(_CPPUNWIND))
#define APB_EXCEPTIONS 1
#include <future>
#include <stdexcept>
#else
#define APB_EXCEPTIONS 0
#endif

namespace apb {

/** Whether the effect that was asked for exists at the vendor; see apb_outcome. */
enum class Outcome : std::int32_t {
    unknown = APB_UNKNOWN,
    executed = APB_EXECUTED,
    not_executed = APB_NOT_EXECUTED,
    /** Of cases only: not settled yet, nothing is lost. */
    pending = APB_PENDING
};

/** The status of a call; see apb_status. Later versions of the library may return other numbers. */
enum class Status : std::int32_t {
    ok = APB_OK,
    null_argument = APB_E_NULL,
    bad_utf8 = APB_E_UTF8,
    bad_json = APB_E_JSON,
    bad_request = APB_E_REQUEST,
    bad_config = APB_E_CONFIG,
    unknown_operation = APB_E_OPERATION,
    bad_handle = APB_E_HANDLE,
    closed = APB_E_CLOSED,
    busy = APB_E_BUSY,
    dns = APB_E_DNS,
    connect = APB_E_CONNECT,
    tls = APB_E_TLS,
    proxy = APB_E_PROXY,
    timeout = APB_E_TIMEOUT,
    cancelled = APB_E_CANCELLED,
    io = APB_E_IO,
    http = APB_E_HTTP,
    rate_limited = APB_E_RATE_LIMITED,
    auth = APB_E_AUTH,
    refused = APB_E_REFUSED,
    bad_response = APB_E_RESPONSE,
    too_large = APB_E_TOO_LARGE,
    not_found = APB_E_NOT_FOUND,
    uncertain = APB_E_UNCERTAIN,
    already_submitted = APB_E_ALREADY,
    in_progress = APB_E_IN_PROGRESS,
    store = APB_E_STORE,
    conflict = APB_E_CONFLICT,
    guard = APB_E_GUARD,
    memory = APB_E_MEMORY,
    internal = APB_E_INTERNAL,
    panic = APB_E_PANIC
};

/** "executed", "not_executed", "unknown", "pending". */
inline const char *name(Outcome outcome) noexcept
{
    return outcome == Outcome::executed       ? "executed"
           : outcome == Outcome::not_executed ? "not_executed"
           : outcome == Outcome::pending      ? "pending"
                                              : "unknown";
}

/** "APB_E_TIMEOUT"; "APB_E_?" for numbers that the library does not know. */
inline const char *name(Status status) noexcept { return apb_status_name(static_cast<apb_status>(status)); }

/** A text argument: std::string, a literal, or (from C++17) std::string_view. It refers to its source: for one call. */
class Text {
public:
    Text(const std::string &text) noexcept : data_(text.data()), size_(text.size()) {}
    Text(const char *text) noexcept : data_(text), size_(text == nullptr ? 0 : std::char_traits<char>::length(text)) {}
    Text(const char *text, std::size_t size) noexcept : data_(text), size_(size) {}
#if APB_CPLUSPLUS >= 201703L
    /* The data() of an empty view may be null, which the library takes as the empty text. */
    Text(std::string_view text) noexcept : data_(text.data()), size_(text.size()) {}
#endif
    const char *data() const noexcept { return data_; }
    std::size_t size() const noexcept { return size_; }

private:
    const char *data_;
    std::size_t size_;
};

/** A text as a JSON string, with quotes: for requests without a JSON library. */
inline std::string quoted(const std::string &text)
{
    static const char *const digits = "0123456789abcdef";
    std::string out = "\"";
    for (const char c : text) {
        const unsigned char byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (byte < 0x20) {
            out += std::string("\\u00") + digits[byte >> 4] + digits[byte & 15];
        } else {
            out += c;
        }
    }
    return out + '"';
}

class Field;

/**
 * A JSON object for a request, so that no JSON library is needed; every text is escaped.
 *
 *   apb::Request().set("orderNo", order_no).set("voidOfferId", quote["data"]["voidOfferId"])
 *
 * A name is set once. Money is text with its digits ("84.70"): floating-point numbers do not compile.
 */
class Request {
public:
    Request() : text_("{}") {}

    Request &set(const std::string &name, const std::string &value) { return json(name, quoted(value)); }
    /** nullptr is null. */
    Request &set(const std::string &name, const char *value)
    {
        return json(name, value == nullptr ? std::string("null") : quoted(value));
    }
    /** A whole number, true or false. */
    template <class Value> typename std::enable_if<std::is_integral<Value>::value, Request &>::type
    set(const std::string &name, Value value)
    {
        return json(name, std::is_same<Value, bool>::value ? (value ? "true" : "false") : std::to_string(value));
    }
    template <class Value> typename std::enable_if<std::is_floating_point<Value>::value, Request &>::type
    set(const std::string &name, Value value) = delete;
    /** The text of a reply's field; null if it has none. */
    Request &set(const std::string &name, const Field &value);
    Request &set(const std::string &name, const Request &object) { return json(name, object.text_); }
    /** A list of texts, or of objects. */
    Request &set(const std::string &name, const std::vector<std::string> &texts)
    {
        std::string list;
        for (const std::string &text : texts) {
            list += (list.empty() ? "" : ",") + quoted(text);
        }
        return json(name, "[" + list + "]");
    }
    Request &set(const std::string &name, const std::vector<Request> &objects)
    {
        std::string list;
        for (const Request &object : objects) {
            list += (list.empty() ? "" : ",") + object.text_;
        }
        return json(name, "[" + list + "]");
    }
    /** A value that is JSON already. */
    Request &json(const std::string &name, const std::string &value)
    {
        text_.pop_back();
        text_ += (text_.size() > 1 ? "," : "") + quoted(name) + ":" + value + "}";
        return *this;
    }

    /** The object as text. */
    const std::string &text() const noexcept { return text_; }
    /** For the methods of a client, as any other text. */
    operator Text() const noexcept { return Text(text_); }

private:
    std::string text_;
};

/**
 * A place in a reply, which must live as long: reply["data"]["voidOfferId"], reply["data"]["refundOrders"][0]. A place that
 * is not there has no value, and neither have the places below it.
 */
class Field {
public:
    Field(const apb_reply *reply, std::string pointer) : reply_(reply), pointer_(std::move(pointer)) {}

    Field operator[](const std::string &name) const { return Field(reply_, pointer_ + "/" + escaped(name)); }
    Field operator[](const char *name) const { return (*this)[std::string(name)]; }
    template <class Index> typename std::enable_if<std::is_integral<Index>::value, Field>::type operator[](Index index) const
    {
        return Field(reply_, pointer_ + "/" + std::to_string(index));
    }

    /** Whether there is a text, a number, true or false. */
    bool has_value() const noexcept { return apb_reply_get(reply_, pointer_.c_str(), nullptr) != nullptr; }
    /** Its text; "" without a value. */
    std::string text() const { return text_or(std::string()); }
    std::string text_or(const std::string &otherwise) const
    {
        std::size_t size = 0;
        const char *text = apb_reply_get(reply_, pointer_.c_str(), &size);
        return text == nullptr ? otherwise : std::string(text, size);
    }
    /** The same without a copy; data() is null without a value. The text lives as long as the reply. */
    Text view() const noexcept
    {
        std::size_t size = 0;
        const char *text = apb_reply_get(reply_, pointer_.c_str(), &size);
        return Text(text, size);
    }
#if APB_CPLUSPLUS >= 201703L
    std::optional<std::string_view> get() const noexcept
    {
        const Text text = view();
        return text.data() == nullptr ? std::optional<std::string_view>() : std::string_view(text.data(), text.size());
    }
#endif
    /** A whole number, or `otherwise`. Amounts are text. */
    std::int64_t integer(std::int64_t otherwise = 0) const noexcept
    {
        std::int32_t ok = 0;
        const std::int64_t number = apb_reply_get_int(reply_, pointer_.c_str(), &ok);
        return ok != 0 ? number : otherwise;
    }
    /** Whether it is true; false also without a value. */
    bool is_true() const noexcept { return apb_reply_get_bool(reply_, pointer_.c_str(), nullptr) != 0; }
    /** The number of elements of an array, or members of an object. */
    std::size_t size() const noexcept { return apb_reply_count(reply_, pointer_.c_str()); }
    /** The JSON Pointer of the place. */
    const std::string &pointer() const noexcept { return pointer_; }

private:
    static std::string escaped(const std::string &name)
    {
        std::string out;
        for (const char c : name) {
            out += c == '~' ? std::string("~0") : c == '/' ? std::string("~1") : std::string(1, c);
        }
        return out;
    }
    const apb_reply *reply_;
    std::string pointer_;
};

inline Request &Request::set(const std::string &name, const Field &value)
{
    return value.has_value() ? set(name, value.text()) : json(name, "null");
}

/** The result of a call. Move-only; an empty one (moved from) has the status APB_E_NULL, outcome unknown. */
class Reply {
public:
    Reply() noexcept : reply_(nullptr) {}
    explicit Reply(apb_reply *owned) noexcept : reply_(owned) {}
    ~Reply() { apb_reply_free(reply_); }
    Reply(Reply &&other) noexcept : reply_(other.release()) {}
    Reply &operator=(Reply &&other) noexcept
    {
        reset(other.release());
        return *this;
    }
    Reply(const Reply &) = delete;
    Reply &operator=(const Reply &) = delete;

    /** Whether the call succeeded. False does not mean "not executed": for a submit use outcome(). */
    APB_NODISCARD bool ok() const noexcept { return apb_reply_status(reply_) == APB_OK; }
    APB_NODISCARD Outcome outcome() const noexcept { return static_cast<Outcome>(apb_reply_outcome(reply_)); }
    APB_NODISCARD Status status() const noexcept { return static_cast<Status>(apb_reply_status(reply_)); }
    std::int32_t http_status() const noexcept { return apb_reply_http_status(reply_); }
    bool has_vendor_status() const noexcept { return vendor_status() != APB_NO_VENDOR_STATUS; }
    std::int32_t vendor_status() const noexcept { return apb_reply_vendor_status(reply_); }

    /** The error message, in English; "" on success. */
    std::string message() const { return copy(apb_reply_message(reply_)); }
    /** The whole reply: {"ok":...,"outcome":...,"data":...,"error":...,"warnings":...,"meta":...}. */
    std::string json() const
    {
        std::size_t size = 0;
        const char *text = apb_reply_json(reply_, &size);
        return text == nullptr ? std::string() : std::string(text, size);
    }
    /**
     * The text of a field by JSON Pointer, so that no JSON library is needed: field("/data/voidOfferId"). "" if it is
     * absent, null, an object or an array; has_field() tells that from an empty text.
     */
    std::string field(const std::string &pointer) const
    {
        std::size_t size = 0;
        const char *text = apb_reply_get(reply_, pointer.c_str(), &size);
        return text == nullptr ? std::string() : std::string(text, size);
    }
    bool has_field(const std::string &pointer) const noexcept
    {
        return apb_reply_get(reply_, pointer.c_str(), nullptr) != nullptr;
    }
#if APB_CPLUSPLUS >= 201703L
    /** message(), json() and raw() without a copy; the texts live as long as the reply. */
    std::string_view message_view() const noexcept
    {
        const char *text = apb_reply_message(reply_);
        return text == nullptr ? std::string_view() : std::string_view(text);
    }
    std::string_view json_view() const noexcept
    {
        std::size_t size = 0;
        const char *text = apb_reply_json(reply_, &size);
        return text == nullptr ? std::string_view() : std::string_view(text, size);
    }
    std::string_view raw_view() const noexcept
    {
        std::size_t size = 0;
        const char *text = apb_reply_raw(reply_, &size);
        return text == nullptr ? std::string_view() : std::string_view(text, size);
    }
    /** field() without a copy; the text lives as long as the reply. */
    std::optional<std::string_view> get(const std::string &pointer) const noexcept
    {
        std::size_t size = 0;
        const char *text = apb_reply_get(reply_, pointer.c_str(), &size);
        return text == nullptr ? std::optional<std::string_view>() : std::string_view(text, size);
    }
#endif
    /** A field step by step: reply["data"]["voidOfferId"].text(); see Field. */
    Field operator[](const std::string &name) const & { return Field(reply_, std::string())[name]; }
    Field operator[](const char *name) const & { return (*this)[std::string(name)]; }
    Field operator[](const std::string &name) && = delete; /* the reply would be gone */
    Field operator[](const char *name) && = delete;
    /** The number of elements of an array, or members of an object. */
    std::size_t count(const std::string &pointer) const noexcept { return apb_reply_count(reply_, pointer.c_str()); }
    /** Whether an answer began, and its bytes as the vendor sent them, decompressed. */
    bool has_raw() const noexcept { return apb_reply_raw(reply_, nullptr) != nullptr; }
    std::string raw() const
    {
        std::size_t size = 0;
        const char *text = apb_reply_raw(reply_, &size);
        return text == nullptr ? std::string() : std::string(text, size);
    }

    /** Calls the function of the outcome with the reply, and returns its result. */
    template <class Executed, class NotExecuted, class Unknown>
    auto match(Executed &&executed, NotExecuted &&not_executed, Unknown &&unknown) const & ->
        typename std::common_type<decltype(executed(std::declval<const Reply &>())),
                                  decltype(not_executed(std::declval<const Reply &>())),
                                  decltype(unknown(std::declval<const Reply &>()))>::type
    {
        return select<const Reply &>(*this, executed, not_executed, unknown);
    }
    /** The same of a reply that is given away: the function may take it by value or as Reply &&. */
    template <class Executed, class NotExecuted, class Unknown>
    auto match(Executed &&executed, NotExecuted &&not_executed, Unknown &&unknown) && ->
        typename std::common_type<decltype(executed(std::declval<Reply>())), decltype(not_executed(std::declval<Reply>())),
                                  decltype(unknown(std::declval<Reply>()))>::type
    {
        return select<Reply &&>(std::move(*this), executed, not_executed, unknown);
    }

    /** The same for the outcome of a case, which may be pending. */
    template <class Executed, class NotExecuted, class Unknown, class Pending>
    auto match(Executed &&executed, NotExecuted &&not_executed, Unknown &&unknown, Pending &&pending) const & ->
        typename std::common_type<decltype(std::declval<const Reply &>().match(executed, not_executed, unknown)),
                                  decltype(pending(std::declval<const Reply &>()))>::type
    {
        return outcome() == Outcome::pending ? pending(*this) : match(executed, not_executed, unknown);
    }
    template <class Executed, class NotExecuted, class Unknown, class Pending>
    auto match(Executed &&executed, NotExecuted &&not_executed, Unknown &&unknown, Pending &&pending) && ->
        typename std::common_type<decltype(std::declval<Reply>().match(executed, not_executed, unknown)),
                                  decltype(pending(std::declval<Reply>()))>::type
    {
        return outcome() == Outcome::pending ? pending(std::move(*this))
                                             : std::move(*this).match(executed, not_executed, unknown);
    }

#if APB_EXCEPTIONS
    /** The JSON of a success; throws OutcomeUnknown, NotExecuted or AlreadySubmitted otherwise. */
    std::string value() const;
#endif

    /** For the C functions; the ownership stays here. */
    apb_reply *get() const noexcept { return reply_; }
    /** Passes the ownership to the caller. */
    apb_reply *release() noexcept
    {
        apb_reply *owned = reply_;
        reply_ = nullptr;
        return owned;
    }
    void reset(apb_reply *owned = nullptr) noexcept
    {
        if (owned != reply_) {
            apb_reply_free(reply_);
            reply_ = owned;
        }
    }

private:
    template <class Self, class Executed, class NotExecuted, class Unknown>
    static auto select(Self self, Executed &executed, NotExecuted &not_executed, Unknown &unknown) ->
        typename std::common_type<decltype(executed(static_cast<Self>(self))), decltype(not_executed(static_cast<Self>(self))),
                                  decltype(unknown(static_cast<Self>(self)))>::type
    {
        switch (self.outcome()) {
        case Outcome::executed:
            return executed(static_cast<Self>(self));
        case Outcome::not_executed:
            return not_executed(static_cast<Self>(self));
        case Outcome::unknown:
        case Outcome::pending:
            break;
        }
        /* Also for numbers of a later version. */
        return unknown(static_cast<Self>(self));
    }
    static std::string copy(const char *text) { return text == nullptr ? std::string() : std::string(text); }
    apb_reply *reply_;
};

#if APB_EXCEPTIONS
/** A call that failed. Catch the three classes below first: they say whether it was executed. */
class Error : public std::runtime_error {
public:
    explicit Error(const Reply &reply)
        : std::runtime_error(reply.message()), status_(reply.status()), outcome_(reply.outcome()), json_(reply.json())
    {
    }
    Status status() const noexcept { return status_; }
    Outcome outcome() const noexcept { return outcome_; }
    /** The whole reply; its error.help says what to do. */
    const std::string &json() const noexcept { return json_; }

private:
    Status status_;
    Outcome outcome_;
    std::string json_;
};

/** It may have been executed: query before anything else, do not submit again. */
class OutcomeUnknown : public Error {
public:
    using Error::Error;
};

/** It was provably not executed. */
class NotExecuted : public Error {
public:
    using Error::Error;
};

/** A case is not settled yet; nothing is lost. */
class CasePending : public Error {
public:
    using Error::Error;
};

/** It was executed, by an earlier submit. */
class AlreadySubmitted : public Error {
public:
    using Error::Error;
};

inline std::string Reply::value() const
{
    if (ok()) {
        return json();
    }
    switch (outcome()) {
    case Outcome::executed:
        throw AlreadySubmitted(*this);
    case Outcome::not_executed:
        throw NotExecuted(*this);
    case Outcome::pending:
        throw CasePending(*this);
    case Outcome::unknown:
        break;
    }
    throw OutcomeUnknown(*this);
}
#endif

/** The result of a submit. Its reply is accessible only together with its outcome. */
class APB_NODISCARD_TYPE Submitted {
public:
    explicit Submitted(Reply &&reply) noexcept : reply_(std::move(reply)) {}

    APB_NODISCARD Outcome outcome() const noexcept { return reply_.outcome(); }

    /** Calls the function of the outcome with the reply, and returns its result. */
    template <class Executed, class NotExecuted, class Unknown>
    auto match(Executed &&executed, NotExecuted &&not_executed, Unknown &&unknown) const &
        -> decltype(std::declval<const Reply &>().match(executed, not_executed, unknown))
    {
        return reply_.match(executed, not_executed, unknown);
    }
    /** The same of a result that is given away: the function may take the reply by value or as Reply &&. */
    template <class Executed, class NotExecuted, class Unknown>
    auto match(Executed &&executed, NotExecuted &&not_executed, Unknown &&unknown) &&
        -> decltype(std::declval<Reply>().match(executed, not_executed, unknown))
    {
        return std::move(reply_).match(executed, not_executed, unknown);
    }

    /** Moves the reply out and stores the outcome: `std::move(submitted).take(outcome)`. */
    Reply take(Outcome &outcome) &&
    {
        outcome = reply_.outcome();
        return std::move(reply_);
    }

#if APB_EXCEPTIONS
    /** The JSON of a success; throws OutcomeUnknown, NotExecuted or AlreadySubmitted otherwise. */
    std::string value() const { return reply_.value(); }
#endif

private:
    Reply reply_;
};

/** The result of opening a case. Its reply is accessible only together with its outcome, which may be pending. */
class APB_NODISCARD_TYPE Opened {
public:
    explicit Opened(Reply &&reply) noexcept : reply_(std::move(reply)) {}

    APB_NODISCARD Outcome outcome() const noexcept { return reply_.outcome(); }

    /** Calls the function of the outcome with the reply, and returns its result. */
    template <class Executed, class NotExecuted, class Unknown, class Pending>
    auto match(Executed &&executed, NotExecuted &&not_executed, Unknown &&unknown, Pending &&pending) const &
        -> decltype(std::declval<const Reply &>().match(executed, not_executed, unknown, pending))
    {
        return reply_.match(executed, not_executed, unknown, pending);
    }
    /** The same of a result that is given away: the function may take the reply by value or as Reply &&. */
    template <class Executed, class NotExecuted, class Unknown, class Pending>
    auto match(Executed &&executed, NotExecuted &&not_executed, Unknown &&unknown, Pending &&pending) &&
        -> decltype(std::declval<Reply>().match(executed, not_executed, unknown, pending))
    {
        return std::move(reply_).match(executed, not_executed, unknown, pending);
    }

    /** Moves the reply out and stores the outcome: `std::move(opened).take(outcome)`. */
    Reply take(Outcome &outcome) &&
    {
        outcome = reply_.outcome();
        return std::move(reply_);
    }

#if APB_EXCEPTIONS
    /** The JSON of a success; throws OutcomeUnknown, NotExecuted, CasePending or AlreadySubmitted otherwise. */
    std::string value() const { return reply_.value(); }
#endif

private:
    Reply reply_;
};

/** A cancel token: sticky, used by any number of calls, set from any thread. Move-only. */
class Cancel {
public:
    Cancel() noexcept : cancel_(apb_cancel_new()) {}
    ~Cancel() { apb_cancel_free(cancel_); }
    Cancel(Cancel &&other) noexcept : cancel_(other.cancel_) { other.cancel_ = nullptr; }
    Cancel &operator=(Cancel &&other) noexcept
    {
        if (this != &other) {
            apb_cancel_free(cancel_);
            cancel_ = other.cancel_;
            other.cancel_ = nullptr;
        }
        return *this;
    }
    Cancel(const Cancel &) = delete;
    Cancel &operator=(const Cancel &) = delete;

    /** Ends the calls that use it. A submit that was handed to a connection is then unknown, not undone. */
    void set() const noexcept { apb_cancel_set(cancel_); }
    apb_cancel *get() const noexcept { return cancel_; }

private:
    apb_cancel *cancel_;
};

/** A client. Any number of threads may use one at once. Move-only. */
class Client {
public:
    /** No client: every call gives APB_E_NULL. */
    Client() noexcept : client_(nullptr) {}
    ~Client() { apb_client_free(client_); }
    Client(Client &&other) noexcept : client_(other.client_), receivers_(std::move(other.receivers_))
    {
        other.client_ = nullptr;
    }
    Client &operator=(Client &&other) noexcept
    {
        if (this != &other) {
            apb_client_free(client_);
            client_ = other.client_;
            receivers_ = std::move(other.receivers_);
            other.client_ = nullptr;
        }
        return *this;
    }
    Client(const Client &) = delete;
    Client &operator=(const Client &) = delete;

    /** A client with this configuration, or none (false) and the reason in `*error`. */
    APB_NODISCARD static Client create(Text config, Reply *error = nullptr) noexcept
    {
        Client made;
        apb_reply *why = nullptr;
        apb_client_new(config.data(), config.size(), &made.client_, &why);
        Reply reason(why);
        if (error != nullptr) {
            *error = std::move(reason);
        }
        return made;
    }
#if APB_EXCEPTIONS
    /** The same, but throws Error. */
    explicit Client(Text config) : client_(nullptr)
    {
        Reply why;
        *this = create(config, &why);
        if (client_ == nullptr) {
            throw NotExecuted(why);
        }
    }
#endif
    explicit operator bool() const noexcept { return client_ != nullptr; }

    /**
     * Any operation by its name, with options of this call ({"timeoutMs":...}). The name may be that of a
     * submit, hence a Submitted.
     */
    APB_NODISCARD Submitted call(const std::string &operation, Text request, Text options = Text(nullptr, 0)) const noexcept
    {
        return Submitted(start(operation.c_str(), request, options, nullptr));
    }
    /** The same, with a cancel token. */
    APB_NODISCARD Submitted call(const std::string &operation, Text request, Text options, const Cancel &cancel) const noexcept
    {
        return Submitted(start(operation.c_str(), request, options, cancel.get()));
    }
    /** The same for what moves no money: the reply as it is. For a submit, use call(). */
    APB_NODISCARD Reply read(const std::string &operation, Text request, Text options = Text(nullptr, 0),
                             const Cancel *cancel = nullptr) const noexcept
    {
        return start(operation.c_str(), request, options, cancel == nullptr ? nullptr : cancel->get());
    }

    /** A log line: its level (1 error to 5 trace), the part of the library, and the line. */
    typedef std::function<void(std::int32_t level, Text target, Text line)> LogReceiver;

    /**
     * Log lines of this client's calls, at most so detailed; an empty function removes the receiver. It may run on
     * several threads at once, and must not throw. It lives as long as the client, and so must what it refers to, also
     * after another one has taken its place: a call in progress may still use it.
     */
    Status set_log(LogReceiver receiver, std::int32_t max_level)
    {
        if (!receiver) {
            return set_log(nullptr, nullptr, 0);
        }
        receivers_.push_back(std::unique_ptr<LogReceiver>(new LogReceiver(std::move(receiver))));
        return set_log(&Client::deliver, receivers_.back().get(), max_level);
    }
    /** The same with a function of C; see apb_client_set_log and apb_log_fn. */
    Status set_log(apb_log_fn receiver, void *user_data, std::int32_t max_level) const noexcept
    {
        return static_cast<Status>(apb_client_set_log(client_, receiver, user_data, max_level));
    }

/*
 * One method per operation: the names are those of the functions in atlas_postbooking.h, where their meaning is. The
 * options are those of this call ({"timeoutMs":...}); see CONFIGURATION there.
 */
#define APB_METHOD(Result, method, operation)                                                                          \
    APB_NODISCARD Result method(Text request, Text options = Text(nullptr, 0), const Cancel *cancel = nullptr)         \
        const noexcept                                                                                                 \
    {                                                                                                                  \
        return Result(start(operation, request, options, cancel == nullptr ? nullptr : cancel->get()));                \
    }
    APB_METHOD(Reply, post_booking_ancillary_search, "postBookingAncillarySearch")
    APB_METHOD(Submitted, post_booking_ancillary_order, "postBookingAncillaryOrder")
    APB_METHOD(Reply, refund_quotation, "refundQuotation")
    APB_METHOD(Submitted, refund, "refund")
    APB_METHOD(Reply, query_refund_orders, "queryRefundOrders")
    APB_METHOD(Reply, void_quotation, "voidQuotation")
    APB_METHOD(Submitted, void_, "void") /* `void` is a keyword */
    APB_METHOD(Reply, query_void_orders, "queryVoidOrders")
    APB_METHOD(Submitted, regenerate_order, "regenerateOrder")
    APB_METHOD(Submitted, stop_ticket, "stopTicket")
    APB_METHOD(Reply, order_list, "orderList")
    APB_METHOD(Submitted, pnr_claim, "pnrClaim")
    APB_METHOD(Reply, extract_pnr, "extractPnr")
    APB_METHOD(Reply, query_order_details, "queryOrderDetails")
    APB_METHOD(Submitted, pay, "pay")
    APB_METHOD(Reply, balance, "balance")
    APB_METHOD(Submitted, update_webhook_url, "updateWebhookURL")
    APB_METHOD(Reply, parse_webhook, "parseWebhook")
    APB_METHOD(Reply, case_plan, "case.plan")
    APB_METHOD(Opened, case_open, "case.open")
    APB_METHOD(Reply, case_get, "case.get")
    APB_METHOD(Reply, case_list, "case.list")
    APB_METHOD(Reply, case_reconcile, "case.reconcile")
    APB_METHOD(Reply, case_follow, "case.follow")
    APB_METHOD(Reply, case_notify, "case.notify")
    APB_METHOD(Reply, case_resolve, "case.resolve")
    APB_METHOD(Reply, case_export, "case.export")
    APB_METHOD(Reply, case_stats, "case.stats")
    APB_METHOD(Reply, case_backup, "case.backup")
    APB_METHOD(Reply, case_import, "case.import")
    APB_METHOD(Reply, case_unpause, "case.unpause")
    APB_METHOD(Reply, case_adopt_account, "case.adoptAccount")
    APB_METHOD(Reply, case_confirm_store, "case.confirmStore")
    APB_METHOD(Reply, case_purge, "case.purge")
#undef APB_METHOD

    /** For the C functions; the ownership stays here. */
    apb_client *get() const noexcept { return client_; }

private:
    Reply start(const char *operation, Text request, Text options, const apb_cancel *cancel) const noexcept
    {
        apb_reply *reply = nullptr;
        apb_call(client_, operation, request.data(), request.size(), options.data(), options.size(), cancel, &reply);
        return Reply(reply);
    }
    static void deliver(void *receiver, std::int32_t level, const char *target, const char *message, std::size_t size)
    {
        (*static_cast<LogReceiver *>(receiver))(level, Text(target), Text(message, size));
    }
    apb_client *client_;
    std::vector<std::unique_ptr<LogReceiver>> receivers_;
};

/**
 * Many calls in flight without a thread for each. A call is started with a function, which is called with its result
 * by poll() or wait(), on the thread that calls those: never on another one.
 *
 *   apb::Queue queue;
 *   queue.start(client, "void", request, [](apb::Submitted submitted) { submitted.match(...); });
 *   queue.start<apb::Opened>(client, "case.open", request, [](apb::Opened opened) { ... });
 *   queue.start<apb::Reply>(client, "balance", "{}", [](apb::Reply reply) { ... });   // reads and quotes
 *   while (queue.waiting() > 0) queue.wait(-1);
 *
 * A loop watches fd() and calls poll() when it is readable; see apb_queue_fd(). Any number of threads may start calls
 * and poll. The destructor does not wait: submits in flight run to their end, and functions that were not called
 * never are.
 */
class Queue {
public:
    Queue() noexcept : queue_(nullptr), last_tag_(0) { apb_queue_new(&queue_); }
    ~Queue() { apb_queue_free(queue_); }
    Queue(const Queue &) = delete;
    Queue &operator=(const Queue &) = delete;

    /** False if no descriptors were left. */
    explicit operator bool() const noexcept { return queue_ != nullptr; }
    /** Readable while something waits to be polled. Lent: dup() it for what closes it. */
    int fd() const noexcept { return apb_queue_fd(queue_); }
    /** For the C functions; the ownership stays here. */
    apb_queue *get() const noexcept { return queue_; }

    /**
     * Starts a call and returns at once. Result is Submitted, or Opened for case.open, or Reply for what moves no money.
     * If the status is not ok, nothing was sent and `done` is never called.
     */
    template <class Result = Submitted, class Done>
    Status start(const Client &client, const std::string &operation, Text request, Done done,
                 Text options = Text(nullptr, 0), const Cancel *cancel = nullptr)
    {
        std::uint64_t tag = 0;
        {
            std::lock_guard<std::mutex> lock(mutex_);
            tag = ++last_tag_;
            pending_[tag].reset(new Function<Result, Done>(std::move(done)));
        }
        const apb_status status = apb_start(client.get(), operation.c_str(), request.data(), request.size(), options.data(),
                                            options.size(), queue_, tag, cancel == nullptr ? nullptr : cancel->get());
        if (status != APB_OK) {
            take(tag);
        }
        return static_cast<Status>(status);
    }

#if APB_EXCEPTIONS
    /** The same with a future, which becomes ready in poll() or wait(). If nothing was started, it throws Error. */
    template <class Result = Submitted>
    std::future<Result> future(const Client &client, const std::string &operation, Text request,
                               Text options = Text(nullptr, 0), const Cancel *cancel = nullptr)
    {
        /* Shared, since std::function and C++11 lambdas copy what they hold. */
        std::shared_ptr<std::promise<Result>> promise = std::make_shared<std::promise<Result>>();
        std::future<Result> result = promise->get_future();
        const Status status = start<Result>(
            client, operation, request, [promise](Result &&value) { promise->set_value(std::move(value)); }, options, cancel);
        if (status != Status::ok) {
            promise->set_exception(std::make_exception_ptr(std::runtime_error(name(status))));
        }
        return result;
    }
#endif

    /** Calls the functions of all calls that have ended, and gives their number. Does not wait. */
    std::size_t poll()
    {
        std::size_t count = 0;
        while (next(0) == Status::ok) {
            count++;
        }
        return count;
    }

    /** Waits for a call to end, at most so long (-1: for ever), and calls its function; then as poll(). */
    std::size_t wait(std::int64_t timeout_ms) { return next(timeout_ms) == Status::ok ? 1 + poll() : 0; }

    /** The number of calls whose functions were not called yet. */
    std::size_t waiting() const
    {
        std::lock_guard<std::mutex> lock(mutex_);
        return pending_.size();
    }

    /** Nothing can be started any more; threads that wait return when everything has been polled. */
    void close() noexcept { apb_queue_close(queue_); }

private:
    struct Pending {
        virtual ~Pending() {}
        virtual void call(Reply &&reply) = 0;
    };
    template <class Result, class Done> struct Function : Pending {
        explicit Function(Done &&done) : done_(std::move(done)) {}
        void call(Reply &&reply) override { done_(make<Result>(std::move(reply), std::is_same<Result, Reply>())); }
        Done done_;
    };
    template <class Result> static Result make(Reply &&reply, std::true_type) { return std::move(reply); }
    template <class Result> static Result make(Reply &&reply, std::false_type) { return Result(std::move(reply)); }

    std::unique_ptr<Pending> take(std::uint64_t tag)
    {
        std::lock_guard<std::mutex> lock(mutex_);
        std::unique_ptr<Pending> taken;
        const auto found = pending_.find(tag);
        if (found != pending_.end()) {
            taken = std::move(found->second);
            pending_.erase(found);
        }
        return taken;
    }

    Status next(std::int64_t timeout_ms)
    {
        std::uint64_t tag = 0;
        apb_reply *reply = nullptr;
        const apb_status status = apb_queue_next(queue_, timeout_ms, &tag, &reply);
        if (status == APB_OK) {
            Reply owned(reply);
            /* No lock is held: the function may start calls with this queue. */
            const std::unique_ptr<Pending> pending = take(tag);
            if (pending) {
                pending->call(std::move(owned));
            }
        }
        return static_cast<Status>(status);
    }

    apb_queue *queue_;
    std::uint64_t last_tag_;
    std::map<std::uint64_t, std::unique_ptr<Pending>> pending_;
    mutable std::mutex mutex_;
};

/**
 * A case by your own key: the same key means the same case in every process and after every crash. The object
 * has only the key and refers to the client, which must live as long.
 *
 *   apb::Case cancellation(client, "booking-4711");
 *   cancellation.open("cancel", order_no, "\"expect\":{\"currency\":\"USD\",\"minRefund\":\"40\"}").match(...);
 *   cancellation.follow(60000);
 */
class Case {
public:
    Case(const Client &client, const std::string &key) : client_(&client), key_("{\"key\":" + quoted(key)) {}
    /* A temporary client would not live long enough. */
    Case(Client &&, const std::string &) = delete;

    /** Starts or resumes it. `more` has further members of the request, as JSON. */
    APB_NODISCARD Opened open(const std::string &kind, const std::string &order_no, const std::string &more = "") const
    {
        return client_->case_open(key_ + ",\"kind\":" + quoted(kind) + ",\"orderNo\":" + quoted(order_no) +
                                  (more.empty() ? "" : "," + more) + "}");
    }
    /** The case as stored; makes no query. */
    APB_NODISCARD Reply get() const { return client_->case_get(key_ + "}"); }
    /** Queries the vendor now. */
    APB_NODISCARD Reply reconcile() const { return client_->case_reconcile(key_ + "}"); }
    /** Makes the queries that are due now. */
    APB_NODISCARD Reply follow() const { return client_->case_follow(key_ + "}"); }
    /** Follows it until it is final or the time is over. */
    APB_NODISCARD Reply follow(std::int64_t timeout_ms) const
    {
        return client_->case_follow(key_ + ",\"until\":\"final\",\"timeoutMs\":" + std::to_string(timeout_ms) + "}");
    }

private:
    const Client *client_;
    std::string key_;
};

/** Reads the body of a notification; needs no client and no network. */
APB_NODISCARD inline Reply parse_webhook(Text body) noexcept
{
    apb_reply *reply = nullptr;
    apb_parse_webhook(nullptr, body.data(), body.size(), &reply);
    return Reply(reply);
}

/** Checks a request as a call would, without sending anything. */
APB_NODISCARD inline Reply validate(const std::string &operation, Text request) noexcept
{
    apb_reply *reply = nullptr;
    apb_validate(operation.c_str(), request.data(), request.size(), &reply);
    return Reply(reply);
}

/** Documentation and JSON Schemas of one operation. */
APB_NODISCARD inline Reply describe(const std::string &operation) noexcept
{
    apb_reply *reply = nullptr;
    apb_describe(operation.c_str(), &reply);
    return Reply(reply);
}

/** The same of all operations. */
APB_NODISCARD inline Reply describe() noexcept
{
    apb_reply *reply = nullptr;
    apb_describe(nullptr, &reply);
    return Reply(reply);
}

/** Whether the loaded library has the ABI of this header. To be checked before the first call. */
APB_NODISCARD inline bool abi_matches() noexcept { return apb_abi_version() == APB_ABI_VERSION; }

/** Cancels, once, every call of this process that began before; see apb_cancel_all(). */
inline void cancel_all() noexcept { apb_cancel_all(); }

/** The number of clients, replies, queues and cancel tokens that are not freed. */
inline std::uint64_t live_handles() noexcept { return apb_live_handles(); }

} /* namespace apb */

#undef APB_NODISCARD
#undef APB_NODISCARD_TYPE

#endif /* ATLAS_POSTBOOKING_HPP */
