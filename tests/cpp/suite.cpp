// suite.cpp - the C++ header: ownership, outcomes that must be read, text arguments, and that each method
// calls its operation. Compiles with and without exceptions, as C++11 and later.
//
//   suite BASE_URL
#include "atlas_postbooking.hpp"
#include "flow.h"

#include <chrono>
#include <cstring>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

// Not copyable, and movable without exceptions, on which containers rely.
static_assert(!std::is_copy_constructible<apb::Client>::value, "a client is not copied");
static_assert(!std::is_copy_assignable<apb::Client>::value, "a client is not copied");
static_assert(!std::is_copy_constructible<apb::Reply>::value, "a reply is not copied");
static_assert(!std::is_copy_constructible<apb::Submitted>::value, "a submit is not copied");
static_assert(std::is_nothrow_move_constructible<apb::Client>::value, "a client moves");
static_assert(std::is_nothrow_move_assignable<apb::Client>::value, "a client moves");
static_assert(std::is_nothrow_move_constructible<apb::Reply>::value, "a reply moves");
static_assert(std::is_nothrow_move_assignable<apb::Reply>::value, "a reply moves");
static_assert(std::is_nothrow_move_constructible<apb::Submitted>::value, "a submit moves");
// `if (answer)` would have two branches for three outcomes.
static_assert(!std::is_convertible<apb::Submitted, bool>::value, "three outcomes are no bool");
static_assert(!std::is_convertible<apb::Opened, bool>::value, "four outcomes are no bool");
static_assert(!std::is_constructible<bool, apb::Reply>::value, "three outcomes are no bool");

static std::string config_for(const std::string &base_url)
{
    return "{\"baseUrl\":\"" + base_url + "\",\"clientId\":\"me\",\"clientSecret\":\"s3cr3t\"}";
}

static int outcome_of(const apb::Submitted &answer)
{
    return answer.match([](const apb::Reply &) { return 1; }, [](const apb::Reply &) { return 2; },
                        [](const apb::Reply &) { return 0; });
}

static int outcome_of(const apb::Opened &answer)
{
    return answer.match([](const apb::Reply &) { return 1; }, [](const apb::Reply &) { return 2; },
                        [](const apb::Reply &) { return 0; }, [](const apb::Reply &) { return 3; });
}

static void creation(const std::string &base_url)
{
    apb::Reply why;
    apb::Client none = apb::Client::create("{\"baseUrl\":\"http://127.0.0.1:1\",\"clientID\":\"me\"}", &why);
    CHECK(!none);
    CHECK(why.status() == apb::Status::bad_config);
    CHECK(why.message().find("clientId") != std::string::npos); // the nearest key
    CHECK(!apb::Client::create("nonsense"));
    CHECK(none.balance("{}").status() == apb::Status::null_argument);

    apb::Client client = apb::Client::create(config_for(base_url), &why);
    CHECK(static_cast<bool>(client));
    CHECK(why.get() == nullptr); // it is replaced on success
    CHECK(client.balance("{}").ok());

    apb::Client moved = std::move(client);
    CHECK(!client);
    CHECK(client.balance("{}").status() == apb::Status::null_argument);
    CHECK(moved.balance("{}").ok());
    moved = std::move(moved);
    CHECK(moved.balance("{}").ok());
    moved = apb::Client::create(config_for(base_url));
    CHECK(moved.balance("{}").ok());
    std::vector<apb::Client> several;
    several.push_back(std::move(moved));
    several.emplace_back();
    CHECK(several.front().balance("{}").ok());
}

static void replies(const apb::Client &client)
{
    apb::Reply empty;
    CHECK(!empty.ok() && empty.outcome() == apb::Outcome::unknown && empty.json().empty() && empty.raw().empty());
    CHECK(empty.message().empty() && !empty.has_raw() && !empty.has_vendor_status() && empty.http_status() == 0);

    apb::Reply reply = client.balance("{}");
    CHECK(reply.ok() && reply.outcome() == apb::Outcome::executed && reply.status() == apb::Status::ok);
    CHECK(reply.http_status() == 200 && reply.has_vendor_status() && reply.vendor_status() == 0);
    CHECK(reply.message().empty() && reply.has_raw() && reply.raw().find("accountBalance") != std::string::npos);
    const std::string json = reply.json();
    CHECK(json.front() == '{' && json.back() == '}');

    apb::Reply moved(std::move(reply));
    CHECK(reply.get() == nullptr && reply.outcome() == apb::Outcome::unknown);
    CHECK(moved.json() == json);
    moved = std::move(moved);
    CHECK(moved.json() == json);
    apb_reply *given_away = moved.release();
    CHECK(moved.get() == nullptr);
    apb_reply_free(given_away);

    const int branch = client.balance("{}").match([](const apb::Reply &) { return 1; }, [](const apb::Reply &) { return 2; },
                                                  [](const apb::Reply &) { return 0; });
    CHECK(branch == 1);
    CHECK(std::string(apb::name(apb::Status::timeout)) == "APB_E_TIMEOUT");
    CHECK(std::string(apb::name(apb::Outcome::not_executed)) == "not_executed");
    CHECK(std::string(apb::name(apb::Outcome())) == "unknown"); // zeroed memory
    CHECK(apb::abi_matches());
}

static void fields(const apb::Client &client)
{
    const apb::Reply reply = client.balance("{}");
    CHECK(reply.field("/operation") == "balance" && reply.field("/ok") == "true");
    CHECK(reply.has_field("/meta/httpStatus") && !reply.has_field("/error") && reply.field("/error").empty());
    CHECK(reply.count("/data") > 0 && reply.count("/operation") == 0);
#if APB_CPLUSPLUS >= 201703L
    CHECK(reply.get("/outcome") == "executed" && !reply.get("/error/code"));
#endif
}

static void steps(const apb::Client &client)
{
    const apb::Reply reply = client.balance("{}");
    CHECK(reply["operation"].text() == "balance" && reply["meta"]["httpStatus"].integer() == 200 && reply["ok"].is_true());
    CHECK(reply["data"].size() > 0 && !reply["data"].has_value() && reply["data"].text().empty());
    const apb::Field nowhere = reply["data"][0]["none"];
    CHECK(!nowhere.has_value() && nowhere.text_or("-") == "-" && nowhere.integer(7) == 7 && !nowhere.is_true());
    CHECK(nowhere.view().data() == nullptr && nowhere.pointer() == "/data/0/none");
    CHECK(reply[std::string("a/b~c")].pointer() == "/a~1b~0c");
#if APB_CPLUSPLUS >= 201703L
    CHECK(reply["outcome"].get() == "executed" && !reply["error"]["code"].get());
#endif

    apb::Request request;
    CHECK(request.text() == "{}");
    request.set("text", "a\"b\\\n").set("string", std::string("\0x", 2)).set("none", nullptr).set("int", -3).set("yes", true);
    request.set("found", reply["operation"]).set("missing", nowhere).set("object", apb::Request().set("n", 9007199254740993LL));
    request.set("texts", std::vector<std::string>{"a", "b"}).set("objects", std::vector<apb::Request>(2)).json("json", "[1]");
    CHECK(request.text() == "{\"text\":\"a\\\"b\\\\\\u000a\",\"string\":\"\\u0000x\",\"none\":null,\"int\":-3,\"yes\":true,"
                            "\"found\":\"balance\",\"missing\":null,\"object\":{\"n\":9007199254740993},"
                            "\"texts\":[\"a\",\"b\"],\"objects\":[{},{}],\"json\":[1]}");
    // The library reads what was escaped as it was: it echoes the order number that it would send.
    const std::string odd = "x\"\\/\x01\xc3\xa9";
    const apb::Reply valid = apb::validate("voidQuotation", apb::Request().set("orderNo", odd));
    CHECK(valid["data"]["body"]["orderNo"].text() == odd);
}

static void submits(const apb::Client &client, const char *base_url)
{
    char order_no[128];
    char request[2048];
    apb_client *c = client.get();

    flow_prepare(c, base_url, "void", order_no, request);
    CHECK(outcome_of(client.void_(request)) == 1);
    CHECK(outcome_of(client.void_(request)) == 0); // "already submitted" does not say by whom
    CHECK(outcome_of(client.void_("{\"orderNo\":\"X\"}")) == 2);

    flow_prepare(c, base_url, "refund", order_no, request);
    sim_post(base_url, "/_sim/faults", "{\"endpoint\":\"refund\",\"mode\":\"drop_after\"}");
    apb::Submitted lost = client.refund(std::string(request));
    CHECK(lost.outcome() == apb::Outcome::unknown && outcome_of(lost) == 0);
    apb::Outcome outcome = apb::Outcome::executed;
    const apb::Reply reply = std::move(lost).take(outcome);
    CHECK(outcome == apb::Outcome::unknown && reply.json().find("queryRefundOrders") != std::string::npos);

    // Branches may return nothing, or different types with a common one.
    int seen = 0;
    client.call("stopTicket", "{}").match([&](const apb::Reply &) { seen = 1; }, [&](const apb::Reply &) { seen = 2; },
                                          [&](const apb::Reply &) { seen = 3; });
    CHECK(seen == 2);
    const std::string message = client.pay("{}").match([](const apb::Reply &) { return "done"; },
                                                     [](const apb::Reply &r) { return r.message(); },
                                                     [](const apb::Reply &) { return std::string(); });
    CHECK(message.find("orderNo") != std::string::npos);
}

static void texts(const apb::Client &client)
{
    const std::string with_nul("{\"orderNo\":\"a\0b\"}", 17);
    CHECK(client.query_void_orders(with_nul).status() == apb::Status::bad_json); // its whole length counts
    CHECK(client.balance("").ok());
    CHECK(client.balance(std::string()).ok());
    CHECK(client.balance(static_cast<const char *>(nullptr)).ok()); // the empty text
    CHECK(client.balance(apb::Text("{}garbage", 2)).ok());
#if __cplusplus >= 201703L
    CHECK(client.balance(std::string_view("{}garbage").substr(0, 2)).ok());
    CHECK(client.balance(std::string_view()).ok());
#endif
    CHECK(outcome_of(client.call("balance", "{}", "{\"timeoutMs\":1,\"nonsense\":2}")) == 2);
    CHECK(outcome_of(client.call("balance", "{}", "{\"timeoutMs\":5000}")) == 1);
    CHECK(outcome_of(client.call("no such", "{}")) == 2);
}

// Options and a token for every method; results that are given away; texts without a copy.
static void methods_take_options(const apb::Client &client)
{
    CHECK(client.balance("{}", "{\"timeoutMs\":1,\"nonsense\":2}").status() == apb::Status::bad_request);
    CHECK(outcome_of(client.void_("{\"orderNo\":\"X\"}", "{\"nonsense\":2}")) == 2);
    apb::Cancel token;
    CHECK(client.balance("{}", "", &token).ok() && client.read("balance", "{}", "", &token).ok());
    token.set();
    CHECK(client.balance("{}", "", &token).status() == apb::Status::cancelled);
    CHECK(client.case_list("{}", "", &token).outcome() == apb::Outcome::not_executed);
    CHECK(client.read("balance", "{}", "", &token).status() == apb::Status::cancelled);

    const apb::Reply kept = client.call("balance", "{}").match(
        [](apb::Reply &&reply) { return std::move(reply); }, [](apb::Reply reply) { return reply; },
        [](apb::Reply &&) { return apb::Reply(); });
    CHECK(kept.ok());
    const apb::Reply opened = client.case_open("{}").match(
        [](apb::Reply reply) { return reply; }, [](apb::Reply reply) { return reply; },
        [](apb::Reply reply) { return reply; }, [](apb::Reply reply) { return reply; });
    CHECK(!opened.ok() && opened.get() != nullptr);
#if APB_CPLUSPLUS >= 201703L
    CHECK(kept.json_view() == kept.json() && kept.raw_view() == kept.raw() && !kept.raw_view().empty());
    CHECK(opened.message_view() == opened.message() && !opened.message_view().empty());
#endif
}

// A token that is set ends calls in progress and later ones.
static void cancels(const apb::Client &client, const char *base_url)
{
    char order_no[128];
    char request[2048];
    apb::Cancel token;
    CHECK(outcome_of(client.call("balance", "{}", "", token)) == 1);
    flow_prepare(client.get(), base_url, "void", order_no, request);
    sim_post(base_url, "/_sim/faults", "{\"endpoint\":\"void\",\"mode\":\"delay\",\"delayMs\":30000}");
    std::thread other([&token] {
        std::this_thread::sleep_for(std::chrono::milliseconds(300));
        token.set();
    });
    CHECK(outcome_of(client.call("void", request, "", token)) == 0); // it was sent
    other.join();
    apb::Cancel moved(std::move(token));
    CHECK(outcome_of(client.call("void", request, "", moved)) == 2); // nothing is sent any more
    token = apb::Cancel();
    CHECK(outcome_of(client.call("balance", "{}", "", token)) == 1);
}

static void logs(const apb::Client &client)
{
    int lines = 0;
    const apb_log_fn count = [](void *lines_, std::int32_t, const char *, const char *message, std::size_t size) {
        *static_cast<int *>(lines_) += std::strlen(message) == size ? 1 : 1000;
    };
    CHECK(client.set_log(count, &lines, 5) == apb::Status::ok);
    CHECK(client.balance("{}").ok());
    CHECK(lines > 0 && lines < 1000);
    const int before = lines;
    CHECK(client.set_log(nullptr, nullptr, 0) == apb::Status::ok);
    CHECK(client.balance("{}").ok());
    CHECK(lines == before);
    CHECK(apb::Client().set_log(count, &lines, 5) == apb::Status::null_argument);
}

// A receiver that captures lives as long as its client.
static void capturing_logs(const char *base_url)
{
    std::shared_ptr<std::string> seen = std::make_shared<std::string>();
    {
        apb::Client client = apb::Client::create(config_for(base_url));
        CHECK(client.set_log([seen](std::int32_t level, apb::Text target, apb::Text line) {
            *seen += std::to_string(level) + ' ' + std::string(target.data(), target.size()) + ' ' +
                     std::string(line.data(), line.size()) + '\n';
        }, 5) == apb::Status::ok);
        CHECK(client.balance("{}").ok() && seen->find("balance") != std::string::npos);
        apb::Client moved(std::move(client));
        const std::size_t before = seen->size();
        CHECK(moved.balance("{}").ok() && seen->size() > before);
        CHECK(moved.set_log(apb::Client::LogReceiver(), 5) == apb::Status::ok);
        const std::size_t removed = seen->size();
        CHECK(moved.balance("{}").ok() && seen->size() == removed && seen.use_count() == 2);
    }
    CHECK(seen.use_count() == 1);
}

static std::string timeless(std::string json)
{
    sim_without_time(&json[0]);
    return json.c_str();
}

// Each method calls the operation of its name.
static void methods(const apb::Client &client)
{
    const char *const x = "{\"orderNo\":\"NOSUCHORDER\"}";
    apb::Outcome outcome;
#define READ(method, operation)                                                                                        \
    CHECK_MSG(timeless(client.method(x).json()) == timeless(client.call(operation, x).take(outcome).json()), operation)
#define SUBMIT(method, operation)                                                                                      \
    CHECK_MSG(timeless(client.method(x).take(outcome).json()) == timeless(client.call(operation, x).take(outcome).json()),  \
             operation)
    READ(post_booking_ancillary_search, "postBookingAncillarySearch");
    SUBMIT(post_booking_ancillary_order, "postBookingAncillaryOrder");
    READ(refund_quotation, "refundQuotation");
    SUBMIT(refund, "refund");
    READ(query_refund_orders, "queryRefundOrders");
    READ(void_quotation, "voidQuotation");
    SUBMIT(void_, "void");
    READ(query_void_orders, "queryVoidOrders");
    SUBMIT(regenerate_order, "regenerateOrder");
    SUBMIT(stop_ticket, "stopTicket");
    READ(order_list, "orderList");
    SUBMIT(pnr_claim, "pnrClaim");
    READ(extract_pnr, "extractPnr");
    READ(query_order_details, "queryOrderDetails");
    SUBMIT(pay, "pay");
    READ(balance, "balance");
    SUBMIT(update_webhook_url, "updateWebhookURL");
    READ(parse_webhook, "parseWebhook");
    READ(case_plan, "case.plan");
    SUBMIT(case_open, "case.open");
    READ(case_get, "case.get");
    READ(case_list, "case.list");
    READ(case_reconcile, "case.reconcile");
    READ(case_follow, "case.follow");
    READ(case_notify, "case.notify");
    READ(case_resolve, "case.resolve");
    READ(case_export, "case.export");
    READ(case_purge, "case.purge");
    READ(case_stats, "case.stats");
    READ(case_backup, "case.backup");
    READ(case_import, "case.import");
    READ(case_unpause, "case.unpause");
    READ(case_adopt_account, "case.adoptAccount");
    READ(case_confirm_store, "case.confirmStore");
    CHECK(timeless(apb::parse_webhook(x).json()) == timeless(client.parse_webhook(x).json()));
    CHECK(apb::validate("void", "{\"orderNo\":\"X\",\"voidOfferId\":\"o\"}").ok());
    CHECK(apb::describe().ok() && apb::describe("void").ok());
    CHECK(apb::describe("viod").status() == apb::Status::unknown_operation);
}

// apb::Case by its key, which may be any text.
static void cases(const char *base_url)
{
    char directory[] = "/tmp/apb-suite-XXXXXX";
    char order_no[128];
    CHECK(mkdtemp(directory) != nullptr);
    const std::string store = std::string(directory) + "/cases.db";
    {
        std::string config = config_for(base_url);
        config.insert(config.size() - 1, ",\"store\":{\"path\":" + apb::quoted(store) + "},\"clock\":{\"url\":\"" +
                                             base_url + "/_sim/clock\"}");
        const apb::Client client = apb::Client::create(config);
        sim_order(base_url, "{\"airline\":\"F9\"}", order_no, sizeof order_no);
        const apb::Case first(client, "a \"key\"\\ with\na line and \xc3\xa4");
        CHECK(first.get().status() == apb::Status::not_found);
        CHECK(outcome_of(first.open("refund", order_no, "\"expect\":{\"currency\":\"EUR\"}")) == 2);
        CHECK(first.get().json().find("\"state\":\"refused\"") != std::string::npos);
        const apb::Case other(client, "another");
        CHECK(outcome_of(other.open("void", order_no)) == 1);
        CHECK(outcome_of(other.open("void", order_no)) == 1);
        CHECK(outcome_of(other.open("refund", order_no)) == 2); // other content under the key
        sim_post(base_url, "/_sim/clock", "{\"advance\":\"6m\"}");
        CHECK(other.reconcile().json().find("airline_processing") != std::string::npos);
        CHECK(other.follow().ok());
        sim_post(base_url, "/_sim/clock", "{\"advance\":\"7h\"}");
        CHECK(other.follow(20000).json().find("\"open\":0") != std::string::npos);
        CHECK(other.get().json().find("\"final\":true") != std::string::npos);
        CHECK(client.case_list("{}").json().find("a \\\"key\\\"\\\\ with\\na line and \xc3\xa4") != std::string::npos);
    }
    for (const char *ending : {"", "-wal", "-shm", "-witness"}) {
        std::remove((store + ending).c_str());
    }
    CHECK(rmdir(directory) == 0);
}

// 64 threads on one client.
static void queues(const apb::Client &client, const char *base_url)
{
    apb::Queue queue;
    CHECK(static_cast<bool>(queue) && queue.fd() >= 0);
    int good = 0;
    for (int i = 0; i < 100; i++) {
        CHECK(queue.start<apb::Reply>(client, "balance", "{}", [&good](const apb::Reply &reply) {
            good += reply.ok() ? 1 : 0;
        }) == apb::Status::ok);
    }
    while (queue.waiting() > 0) {
        queue.wait(-1);
    }
    CHECK(good == 100);
    CHECK(queue.poll() == 0 && queue.wait(0) == 0);

    // A submit gives its result only with its outcome; a function may start the next call.
    char order[128];
    char request[2048];
    flow_prepare(client.get(), base_url, "void", order, request);
    int outcome = -1;
    CHECK(queue.start(client, "void", request, [&](const apb::Submitted &submitted) {
        outcome = outcome_of(submitted);
        queue.start<apb::Reply>(client, "balance", "{}", [&good](apb::Reply reply) { good += reply.ok() ? 1 : 0; });
    }) == apb::Status::ok);
    while (queue.waiting() > 0) {
        queue.wait(-1);
    }
    CHECK(outcome == 1 && good == 101);

    const apb::Cancel cancel;
    cancel.set();
    flow_prepare(client.get(), base_url, "void", order, request);
    CHECK(queue.start(client, "void", request, [&](const apb::Submitted &submitted) { outcome = outcome_of(submitted); },
                      apb::Text(nullptr, 0), &cancel) == apb::Status::ok);
    CHECK(queue.wait(-1) == 1 && outcome == 2);
    CHECK(queue.start(apb::Client(), "balance", "{}", [&](const apb::Submitted &submitted) {
        outcome = outcome_of(submitted);
    }) == apb::Status::ok);
    CHECK(queue.wait(-1) == 1);

    queue.close();
    bool called = false;
    CHECK(queue.start(client, "balance", "{}", [&called](const apb::Submitted &) { called = true; }) == apb::Status::closed);
    CHECK(queue.wait(-1) == 0 && queue.waiting() == 0 && !called);
#if defined(__cpp_exceptions)
    apb::Queue other;
    std::future<apb::Reply> balance = other.future<apb::Reply>(client, "balance", "{}");
    CHECK(other.wait(-1) == 1 && balance.get().ok());
    CHECK(std::string(apb::name(apb::Outcome::pending)) == "pending");
    bool threw = false;
    try {
        static_cast<void>(queue.future(client, "balance", "{}").get());
    } catch (const std::runtime_error &error) {
        threw = std::string(error.what()) == "APB_E_CLOSED";
    }
    CHECK(threw);
#endif
}

static void threads(const apb::Client &client)
{
    std::vector<std::thread> running;
    std::vector<int> good(64);
    for (std::size_t i = 0; i < good.size(); i++) {
        running.emplace_back([&client, &good, i] {
            for (int round = 0; round < 10; round++) {
                good[i] += client.balance("{}").ok() ? 1 : 0;
            }
        });
    }
    int sum = 0;
    for (std::size_t i = 0; i < good.size(); i++) {
        running[i].join();
        sum += good[i];
    }
    CHECK(sum == 640);
}

#if defined(__cpp_exceptions)
static void exceptions(const apb::Client &client, const char *base_url)
{
    char order_no[128];
    char request[2048];
    int caught = 0;
    CHECK(client.balance("{}").value().find("accountBalance") != std::string::npos);
    try {
        apb::Client broken("{}");
    } catch (const apb::NotExecuted &error) {
        caught += error.status() == apb::Status::bad_config && *error.what() != '\0';
    }
    try {
        client.query_order_details("{\"orderNo\":\"NOSUCHORDER\"}").value();
    } catch (const apb::NotExecuted &error) {
        caught += error.status() == apb::Status::not_found && error.json().find("\"error\"") != std::string::npos;
    }
    flow_prepare(client.get(), base_url, "void", order_no, request);
    sim_post(base_url, "/_sim/faults", "{\"endpoint\":\"void\",\"mode\":\"drop_after\"}");
    try {
        client.void_(request).value();
    } catch (const apb::OutcomeUnknown &error) {
        caught += error.outcome() == apb::Outcome::unknown;
    }
    try {
        client.void_(request).value();
    } catch (const apb::OutcomeUnknown &error) { // something is there, whose is not said
        caught += error.status() == apb::Status::already_submitted;
    }
    flow_prepare(client.get(), base_url, "pay", order_no, request);
    CHECK(!client.pay(request).value().empty());
    try {
        client.pay(request).value();
    } catch (const apb::AlreadySubmitted &error) { // this very order is paid
        caught += error.outcome() == apb::Outcome::executed;
    }
    try {
        client.pay("{}").value();
    } catch (const std::runtime_error &error) { // the base of all of them
        caught += *error.what() != '\0';
    }
    CHECK(caught == 6);
    apb::Client good(config_for(base_url));
    CHECK(good.balance("{}").ok());
}
#endif

int main(int argc, char **argv)
{
    if (argc < 2) {
        return 2;
    }
    creation(argv[1]);
    {
        const apb::Client client = apb::Client::create(config_for(argv[1]));
        replies(client);
        fields(client);
        steps(client);
        submits(client, argv[1]);
        texts(client);
        methods_take_options(client);
        methods(client);
        cancels(client, argv[1]);
        cases(argv[1]);
        logs(client);
        capturing_logs(argv[1]);
        threads(client);
        queues(client, argv[1]);
#if defined(__cpp_exceptions)
        exceptions(client, argv[1]);
#endif
    }
    CHECK(apb::live_handles() == 0);
    return check_end();
}
