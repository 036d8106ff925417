/*
 * atlas_postbooking.hpp - atlas_postbooking.h for C++11 and later.
 *
 *   apb::Client client = apb::Client::create(config);
 *   apb::Submitted answer = client.refund(request);
 *   answer.match([](const apb::Reply &done) { ... },            // it happened
 *                [](const apb::Reply &refused) { ... },         // it provably did not
 *                [](const apb::Reply &nobody_knows) { ... });   // query; never send it again
 *
 * Reads and quotes give a Reply. Submits, which move money, give a Submitted: it has no "ok" and no
 * data until the outcome has been looked at, so that "failed" cannot be mistaken for "did not happen".
 * apb::Case is one case of a client with a store, by its key.
 *
 * Texts are UTF-8 JSON as std::string, in and out; which JSON library reads them is your choice.
 * Everything is move-only and frees itself. Nothing here throws, unless you call what says so:
 * Client(config), Reply::value(), Submitted::value(). Those are missing with -fno-exceptions or
 * APB_NO_EXCEPTIONS. Memory, threads, fork: as in atlas_postbooking.h.
 */
#ifndef ATLAS_POSTBOOKING_HPP
#define ATLAS_POSTBOOKING_HPP

#include "atlas_postbooking.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>

#if defined(_MSVC_LANG)
#define APB_CPLUSPLUS _MSVC_LANG
#else
#define APB_CPLUSPLUS __cplusplus
#endif

#if APB_CPLUSPLUS >= 201703L
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
#include <stdexcept>
#else
#define APB_EXCEPTIONS 0
#endif

namespace apb {

/** Did it happen? Exactly three answers; see apb_outcome. */
enum class Outcome : std::int32_t {
    unknown = APB_UNKNOWN,
    executed = APB_EXECUTED,
    not_executed = APB_NOT_EXECUTED
};

/** The status of a call; see apb_status. Numbers that this header does not name may come. */
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

/** "executed", "not_executed", "unknown". */
inline const char *name(Outcome outcome) noexcept
{
    return outcome == Outcome::executed ? "executed" : outcome == Outcome::not_executed ? "not_executed" : "unknown";
}

/** "APB_E_TIMEOUT"; "APB_E_?" for numbers that the library does not know. */
inline const char *name(Status status) noexcept { return apb_status_name(static_cast<apb_status>(status)); }

/** A text argument: std::string, a literal, or std::string_view where there is one. Lives for one call. */
class Text {
public:
    Text(const std::string &text) noexcept : data_(text.data()), size_(text.size()) {}
    Text(const char *text) noexcept : data_(text), size_(text == nullptr ? 0 : std::char_traits<char>::length(text)) {}
    Text(const char *text, std::size_t size) noexcept : data_(text), size_(size) {}
#if APB_CPLUSPLUS >= 201703L
    /* A view of nothing may point to nothing; the library takes that as the empty text. */
    Text(std::string_view text) noexcept : data_(text.data()), size_(text.size()) {}
#endif
    const char *data() const noexcept { return data_; }
    std::size_t size() const noexcept { return size_; }

private:
    const char *data_;
    std::size_t size_;
};

/** A text as a JSON string, with its quotes: for building requests without a JSON library. */
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

/** What came of a call. Move-only; an empty one (moved from) reads as APB_E_NULL, outcome unknown. */
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

    /** True only for success. False does not mean that it did not happen; of a submit ask outcome(). */
    APB_NODISCARD bool ok() const noexcept { return apb_reply_status(reply_) == APB_OK; }
    APB_NODISCARD Outcome outcome() const noexcept { return static_cast<Outcome>(apb_reply_outcome(reply_)); }
    APB_NODISCARD Status status() const noexcept { return static_cast<Status>(apb_reply_status(reply_)); }
    std::int32_t http_status() const noexcept { return apb_reply_http_status(reply_); }
    bool has_vendor_status() const noexcept { return vendor_status() != APB_NO_VENDOR_STATUS; }
    std::int32_t vendor_status() const noexcept { return apb_reply_vendor_status(reply_); }

    /** What went wrong, for a human; "" on success. */
    std::string message() const { return copy(apb_reply_message(reply_)); }
    /** The whole reply: {"ok":...,"outcome":...,"data":...,"error":...,"warnings":...,"meta":...}. */
    std::string json() const
    {
        std::size_t size = 0;
        const char *text = apb_reply_json(reply_, &size);
        return text == nullptr ? std::string() : std::string(text, size);
    }
    /** Whether any byte of an answer came, and the bytes as the vendor sent them. */
    bool has_raw() const noexcept { return apb_reply_raw(reply_, nullptr) != nullptr; }
    std::string raw() const
    {
        std::size_t size = 0;
        const char *text = apb_reply_raw(reply_, &size);
        return text == nullptr ? std::string() : std::string(text, size);
    }

    /** Runs the one of three functions that fits the outcome, and gives what it gives. */
    template <class Executed, class NotExecuted, class Unknown>
    auto match(Executed &&executed, NotExecuted &&not_executed, Unknown &&unknown) const ->
        typename std::common_type<decltype(executed(std::declval<const Reply &>())),
                                  decltype(not_executed(std::declval<const Reply &>())),
                                  decltype(unknown(std::declval<const Reply &>()))>::type
    {
        switch (outcome()) {
        case Outcome::executed:
            return executed(*this);
        case Outcome::not_executed:
            return not_executed(*this);
        case Outcome::unknown:
            break;
        }
        /* Also an outcome of a later version: what is not known is unknown. */
        return unknown(*this);
    }

#if APB_EXCEPTIONS
    /** The JSON of a success; throws OutcomeUnknown, NotExecuted or Error otherwise. */
    std::string value() const;
#endif

    /** For the C functions; still owned by this. */
    apb_reply *get() const noexcept { return reply_; }
    /** Gives the ownership away. */
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
    static std::string copy(const char *text) { return text == nullptr ? std::string() : std::string(text); }
    apb_reply *reply_;
};

#if APB_EXCEPTIONS
/** A call that did not succeed. Catch the three below first: they say whether it happened. */
class Error : public std::runtime_error {
public:
    explicit Error(const Reply &reply)
        : std::runtime_error(reply.message()), status_(reply.status()), outcome_(reply.outcome()), json_(reply.json())
    {
    }
    Status status() const noexcept { return status_; }
    Outcome outcome() const noexcept { return outcome_; }
    /** The whole reply; its error.help says what to do now. */
    const std::string &json() const noexcept { return json_; }

private:
    Status status_;
    Outcome outcome_;
    std::string json_;
};

/** It may have happened: query before anything else, never send it again. */
class OutcomeUnknown : public Error {
public:
    using Error::Error;
};

/** It provably did not happen. */
class NotExecuted : public Error {
public:
    using Error::Error;
};

/** It happened, but not by this call. */
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
    case Outcome::unknown:
        break;
    }
    throw OutcomeUnknown(*this);
}
#endif

/** What came of a submit. The reply comes out only together with its outcome. */
class APB_NODISCARD_TYPE Submitted {
public:
    explicit Submitted(Reply &&reply) noexcept : reply_(std::move(reply)) {}

    APB_NODISCARD Outcome outcome() const noexcept { return reply_.outcome(); }

    /** Runs the one of three functions that fits, with the reply, and gives what it gives. */
    template <class Executed, class NotExecuted, class Unknown>
    auto match(Executed &&executed, NotExecuted &&not_executed, Unknown &&unknown) const
        -> decltype(std::declval<const Reply &>().match(executed, not_executed, unknown))
    {
        return reply_.match(executed, not_executed, unknown);
    }

    /** Gives the reply, and what must be looked at first: `std::move(answer).take(outcome)`. */
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

/** A cancel token: sticky, shared by any number of calls, set from any thread. Move-only. */
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

    /** Ends the calls that use it. A submit that had left this machine is unknown then, not undone. */
    void set() const noexcept { apb_cancel_set(cancel_); }
    apb_cancel *get() const noexcept { return cancel_; }

private:
    apb_cancel *cancel_;
};

/** A client. Any number of threads may use one at once. Move-only. */
class Client {
public:
    /** No client: every call answers APB_E_NULL. */
    Client() noexcept : client_(nullptr) {}
    ~Client() { apb_client_free(client_); }
    Client(Client &&other) noexcept : client_(other.client_) { other.client_ = nullptr; }
    Client &operator=(Client &&other) noexcept
    {
        if (this != &other) {
            apb_client_free(client_);
            client_ = other.client_;
            other.client_ = nullptr;
        }
        return *this;
    }
    Client(const Client &) = delete;
    Client &operator=(const Client &) = delete;

    /** A client of this configuration, or none (false) and the reason in `*error`. */
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
     * Any operation by its name, with options of this call ({"timeoutMs":...}). As the name may be
     * that of a submit, the outcome has to be looked at.
     */
    APB_NODISCARD Submitted call(const std::string &operation, Text request, Text options = Text(nullptr, 0)) const noexcept
    {
        return start(operation, request, options, nullptr);
    }
    /** The same, for calls that may be cancelled. */
    APB_NODISCARD Submitted call(const std::string &operation, Text request, Text options, const Cancel &cancel) const noexcept
    {
        return start(operation, request, options, cancel.get());
    }

    /** Log lines of this client's calls; see apb_client_set_log. A receiver must not throw. */
    Status set_log(apb_log_fn receiver, void *user_data, std::int32_t max_level) const noexcept
    {
        return static_cast<Status>(apb_client_set_log(client_, receiver, user_data, max_level));
    }

/* One method per operation, with the name and the meaning of its function in atlas_postbooking.h. */
#define APB_METHOD(Result, method, function)                                                                           \
    APB_NODISCARD Result method(Text request) const noexcept                                                           \
    {                                                                                                                  \
        apb_reply *reply = nullptr;                                                                                    \
        function(client_, request.data(), request.size(), &reply);                                                     \
        return Result(Reply(reply));                                                                                   \
    }
    APB_METHOD(Reply, post_booking_ancillary_search, apb_post_booking_ancillary_search)
    APB_METHOD(Submitted, post_booking_ancillary_order, apb_post_booking_ancillary_order)
    APB_METHOD(Reply, refund_quotation, apb_refund_quotation)
    APB_METHOD(Submitted, refund, apb_refund)
    APB_METHOD(Reply, query_refund_orders, apb_query_refund_orders)
    APB_METHOD(Reply, void_quotation, apb_void_quotation)
    APB_METHOD(Submitted, void_, apb_void) /* `void` is taken */
    APB_METHOD(Reply, query_void_orders, apb_query_void_orders)
    APB_METHOD(Submitted, regenerate_order, apb_regenerate_order)
    APB_METHOD(Submitted, stop_ticket, apb_stop_ticket)
    APB_METHOD(Reply, order_list, apb_order_list)
    APB_METHOD(Submitted, pnr_claim, apb_pnr_claim)
    APB_METHOD(Reply, extract_pnr, apb_extract_pnr)
    APB_METHOD(Reply, query_order_details, apb_query_order_details)
    APB_METHOD(Submitted, pay, apb_pay)
    APB_METHOD(Reply, balance, apb_balance)
    APB_METHOD(Submitted, update_webhook_url, apb_update_webhook_url)
    APB_METHOD(Reply, parse_webhook, apb_parse_webhook)
    APB_METHOD(Reply, case_plan, apb_case_plan)
    APB_METHOD(Submitted, case_open, apb_case_open)
    APB_METHOD(Reply, case_get, apb_case_get)
    APB_METHOD(Reply, case_list, apb_case_list)
    APB_METHOD(Reply, case_reconcile, apb_case_reconcile)
    APB_METHOD(Reply, case_follow, apb_case_follow)
    APB_METHOD(Reply, case_notify, apb_case_notify)
    APB_METHOD(Reply, case_resolve, apb_case_resolve)
    APB_METHOD(Reply, case_export, apb_case_export)
    APB_METHOD(Reply, case_purge, apb_case_purge)
#undef APB_METHOD

    /** For the C functions; still owned by this. */
    apb_client *get() const noexcept { return client_; }

private:
    Submitted start(const std::string &operation, Text request, Text options, const apb_cancel *cancel) const noexcept
    {
        apb_reply *reply = nullptr;
        apb_call(client_, operation.c_str(), request.data(), request.size(), options.data(), options.size(), cancel, &reply);
        return Submitted(Reply(reply));
    }
    apb_client *client_;
};

/**
 * One case, by your own key: the same key is the same case in every process and after every crash. It
 * holds nothing but the key; the client must live as long.
 *
 *   apb::Case matter(client, "booking-4711");
 *   matter.open("cancel", order_no, "\"expect\":{\"currency\":\"USD\",\"minRefund\":\"40\"}").match(...);
 *   matter.follow(60000);
 */
class Case {
public:
    Case(const Client &client, const std::string &key) : client_(&client), key_("{\"key\":" + quoted(key)) {}
    /* The client would be gone. */
    Case(Client &&, const std::string &) = delete;

    /** Starts it, or goes on with it. `more` are further members of the request, as they stand in JSON. */
    APB_NODISCARD Submitted open(const std::string &kind, const std::string &order_no, const std::string &more = "") const
    {
        return client_->case_open(key_ + ",\"kind\":" + quoted(kind) + ",\"orderNo\":" + quoted(order_no) +
                                  (more.empty() ? "" : "," + more) + "}");
    }
    /** As the store has it; asks nobody. */
    APB_NODISCARD Reply get() const { return client_->case_get(key_ + "}"); }
    /** Asks the vendor now. */
    APB_NODISCARD Reply reconcile() const { return client_->case_reconcile(key_ + "}"); }
    /** Asks what is due now. */
    APB_NODISCARD Reply follow() const { return client_->case_follow(key_ + "}"); }
    /** Follows it until it is final, or for so long. */
    APB_NODISCARD Reply follow(std::int64_t timeout_ms) const
    {
        return client_->case_follow(key_ + ",\"until\":\"final\",\"timeoutMs\":" + std::to_string(timeout_ms) + "}");
    }

private:
    const Client *client_;
    std::string key_;
};

/** A notification's body, read; no client and no network. */
APB_NODISCARD inline Reply parse_webhook(Text body) noexcept { return Client().parse_webhook(body); }

/** Checks a request as a call would, without sending anything. */
APB_NODISCARD inline Reply validate(const std::string &operation, Text request) noexcept
{
    apb_reply *reply = nullptr;
    apb_validate(operation.c_str(), request.data(), request.size(), &reply);
    return Reply(reply);
}

/** JSON Schemas and words about one operation. */
APB_NODISCARD inline Reply describe(const std::string &operation) noexcept
{
    apb_reply *reply = nullptr;
    apb_describe(operation.c_str(), &reply);
    return Reply(reply);
}

/** The same about all of them. */
APB_NODISCARD inline Reply describe() noexcept
{
    apb_reply *reply = nullptr;
    apb_describe(nullptr, &reply);
    return Reply(reply);
}

/** Whether the library that was loaded is the one that this header describes. Ask before the first call. */
APB_NODISCARD inline bool abi_matches() noexcept { return apb_abi_version() == APB_ABI_VERSION; }

/** How many clients and replies exist. */
inline std::uint64_t live_handles() noexcept { return apb_live_handles(); }

} /* namespace apb */

#undef APB_NODISCARD
#undef APB_NODISCARD_TYPE

#endif /* ATLAS_POSTBOOKING_HPP */
