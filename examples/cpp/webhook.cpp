// A void as a case, brought to its end by Atlas' own notifications: the program sleeps until Atlas calls.
//
//   webhook BASE_URL ORDER_NO STORE
#include "receiver.hpp"
#include "story.hpp"

// What the store says of the case.
static Json look(const apb::Case &matter)
{
    return Json(matter.get());
}

// Opens the case. The same key again, after a crash, is the same case.
static End open(const apb::Case &matter, const std::string &order_no)
{
    tell("submit", "a void, as a case");
    apb::Outcome outcome;
    const apb::Reply reply = matter.open("void", order_no).take(outcome);
    if (outcome == apb::Outcome::not_executed) {
        tell("happened?", "no, for certain");
        tell_error(reply);
        return End::refused;
    }
    // Lost answers are the case's own matter: it asks when it is followed.
    tell("happened?", outcome == apb::Outcome::executed ? "yes: void " + Json(reply)["case.code"]
                                                        : "not known yet: " + reply.message());
    return End::unsettled;
}

// Gives a notification to the store. It proves nothing, so it only makes a query due.
static int take(const Desk &desk, const std::string &body)
{
    // As text, whatever it is: the library reads it.
    const apb::Reply reply = desk.client.case_notify("{\"body\":" + apb::quoted(body) + "}");
    if (!reply.ok()) {
        // 400: it will not become better. 500: it was not stored, so Atlas may send it again.
        return reply.status() == apb::Status::store ? 500 : 400;
    }
    const Json told(reply);
    tell("webhook", told["data.type"] + (told["data.duplicate"] == "true" ? ", again" : ": a query is due"));
    return 200;
}

// Waits for a notification; what is none is refused and waited on.
static void receive(Receiver &receiver, const Desk &desk)
{
    std::string body;
    int status = 0;
    while (status != 200 && receiver.next(body, 2000)) {
        status = take(desk, body);
        receiver.answer(status);
    }
}

static End webhook(Desk &desk)
{
    if (!desk.booking().ok()) {
        return End::refused;
    }
    Receiver receiver;
    desk.client.update_webhook_url("{\"url\":" + apb::quoted(receiver.url()) + "}").match(
        [](const apb::Reply &) { tell("listen", "Atlas knows where to send its notifications"); },
        [](const apb::Reply &no) { tell_error(no); },
        [](const apb::Reply &lost) { tell("listen", "perhaps: " + lost.message()); });

    const apb::Case matter(desk.client, "void-of-" + desk.order_no);
    desk.tell_deposit("before");
    End end = open(matter, desk.order_no);
    std::string last;
    // Atlas takes the void, five minutes later the airline has it, and in the evening it is done.
    static const long pauses[] = {0, 6, 360, 1440, 1440};
    for (const long pause : pauses) {
        if (end == End::refused || look(matter)["case.final"] == "true" || !desk.wait(pause)) {
            break;
        }
        receive(receiver, desk);
        // With or without a notification: what is due is asked. Notifications may be lost.
        const apb::Reply step = matter.follow();
        if (!step.ok()) {
            tell_error(step);
        }
        const std::string state = look(matter)["case.state"];
        if (state != last) {
            tell(desk.when(), state);
            last = state;
        }
    }
    desk.tell_deposit("after");
    const Json json = look(matter);
    if (end != End::refused && json["case.final"] == "true") {
        end = json["case.outcome"] == "executed" && json["case.state"] != "rejected" ? End::settled : End::refused;
    }
    tell("the end", end == End::settled   ? "voided"
                    : end == End::refused ? "not voided"
                                          : "still open: the same command goes on with it");
    return end;
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        std::cerr << "usage: " << argv[0] << " BASE_URL ORDER_NO STORE\n";
        return static_cast<int>(End::misused);
    }
    const std::string url = argv[1];
    // Hours pass in a moment here, by the simulated clock. A real program leaves it out.
    Desk desk(url, argv[2],
              ",\"store\":{\"path\":" + apb::quoted(argv[3]) + "},\"clock\":{\"url\":\"" + url + "/_sim/clock\"}");
    return static_cast<int>(webhook(desk));
}
