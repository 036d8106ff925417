// A void as a case, followed by the notifications of Atlas: the program sleeps until one arrives.
//
//   webhook BASE_URL ORDER_NO STORE
#include "receiver.hpp"
#include "example.hpp"

// The case as stored.
static Json stored(const apb::Case &cancellation)
{
    return Json(cancellation.get());
}

// Opens the case. With the same key, after a crash, it is the same case.
static End open(const apb::Case &cancellation, const std::string &order_no)
{
    print_line("submit", "a void, as a case");
    apb::Outcome outcome;
    const apb::Reply reply = cancellation.open("void", order_no).take(outcome);
    if (outcome == apb::Outcome::not_executed) {
        print_line("happened?", "no, for certain");
        print_error(reply);
        return End::refused;
    }
    // An unknown outcome is settled by the queries of follow().
    print_line("happened?", outcome == apb::Outcome::executed ? "yes: void " + Json(reply)["case.code"]
                                                        : "not known yet: " + reply.message());
    return End::unresolved;
}

// Passes a notification to the store, which makes a query due; the HTTP status of the answer.
static int accept_notification(const Session &session, const std::string &body)
{
    // As a JSON string: it may be anything.
    const apb::Reply reply = session.client.case_notify("{\"body\":" + apb::quoted(body) + "}");
    if (!reply.ok()) {
        // 400: no notification. 500: it was not stored, so Atlas may send it again.
        return reply.status() == apb::Status::store ? 500 : 400;
    }
    const Json result(reply);
    print_line("webhook", result["data.type"] + (result["data.duplicate"] == "true" ? ", again" : ": a query is due"));
    return 200;
}

// Waits until a notification is accepted or none comes in time; answers bad requests meanwhile.
static void receive(Receiver &receiver, const Session &session)
{
    std::string body;
    int status = 0;
    while (status != 200 && receiver.next(body, 2000)) {
        status = accept_notification(session, body);
        receiver.answer(status);
    }
}

static End webhook(Session &session)
{
    if (!session.booking().ok()) {
        return End::refused;
    }
    Receiver receiver;
    session.client.update_webhook_url("{\"url\":" + apb::quoted(receiver.url()) + "}").match(
        [](const apb::Reply &) { print_line("listen", "Atlas knows where to send its notifications"); },
        [](const apb::Reply &no) { print_error(no); },
        [](const apb::Reply &lost) { print_line("listen", "perhaps: " + lost.message()); });

    const apb::Case cancellation(session.client, "void-of-" + session.order_no);
    session.print_deposit("before");
    End end = open(cancellation, session.order_no);
    std::string last;
    // Atlas accepts the void, passes it to the airline after five minutes, and completes it after some hours.
    static const long pauses[] = {0, 6, 360, 1440, 1440};
    for (const long pause : pauses) {
        if (end == End::refused || stored(cancellation)["case.final"] == "true" || !session.wait(pause)) {
            break;
        }
        receive(receiver, session);
        // Also without a notification, because they may be lost: makes the queries that are due.
        const apb::Reply followed = cancellation.follow();
        if (!followed.ok()) {
            print_error(followed);
        }
        const std::string state = stored(cancellation)["case.state"];
        if (state != last) {
            print_line(session.elapsed(), state);
            last = state;
        }
    }
    session.print_deposit("after");
    const Json json = stored(cancellation);
    if (end != End::refused && json["case.final"] == "true") {
        end = json["case.outcome"] == "executed" && json["case.state"] != "rejected" ? End::done : End::refused;
    }
    print_line("the end", end == End::done   ? "voided"
                    : end == End::refused ? "not voided"
                                          : "still open: the same command goes on with it");
    return end;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        std::cerr << "usage: " << argv[0] << " BASE_URL ORDER_NO STORE\n";
        return static_cast<int>(End::usage_error);
    }
    const std::string url = argv[1];
    // The clock is the simulator's, so that hours take seconds. A real program leaves it out.
    Session session(url, argv[2],
              ",\"store\":{\"path\":" + apb::quoted(argv[3]) + "},\"clock\":{\"url\":\"" + url + "/_sim/clock\"}");
    return static_cast<int>(webhook(session));
}
