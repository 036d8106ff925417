// Buys baggage for a ticketed order: search, order, pay, and query until it is ticketed.
//
//   baggage BASE_URL ORDER_NO
#include "example.hpp"

static const int ticketed = 2;
static const int unreadable = -99;

static int state_of(const Session &session, const std::string &bag)
{
    const apb::Reply reply = session.client.query_order_details(session.about(bag));
    const std::string state = Json(reply)["data.orderStatus"];
    return reply.ok() && !state.empty() ? std::atoi(state.c_str()) : unreadable;
}

static End follow(Session &session, const std::string &bag)
{
    for (int tries = 0; tries < 60; tries++) {
        const int state = state_of(session, bag);
        if (state == ticketed) {
            print_line(session.elapsed(), "ticketed: the bag is booked");
            return End::done;
        }
        if (state < 0 && state != unreadable) {
            print_line(session.elapsed(), "cancelled, and the money is on the deposit again");
            return End::refused;
        }
        if (!session.wait(1)) {
            break;
        }
    }
    return End::unresolved;
}

static End not_executed(const apb::Reply &refused)
{
    print_line("happened?", "no, for certain");
    print_error(refused);
    return End::refused;
}

// Pays once. This submit moves the money.
static End pay(Session &session, const std::string &bag)
{
    print_line("submit", "pay, from the deposit");
    return session.client.pay("{\"orderNo\":\"" + bag + "\",\"paymentMethod\":1}")
        .match(
            [&](const apb::Reply &) {
                print_line("happened?", "yes: paid");
                return follow(session, bag);
            },
            not_executed,
            [&](const apb::Reply &lost) { // the state of the order says whether it is paid
                print_line("happened?", "not known: " + lost.message());
                if (!session.wait(3) || state_of(session, bag) <= 0) {
                    return End::unresolved;
                }
                print_line("", "Found: the order is paid. It happened, and once.");
                return follow(session, bag);
            });
}

// Requests the first bag on sale for the first passenger, on every outbound flight.
static std::string bag_request(const Json &order, const Json &shop)
{
    std::string bags;
    for (int i = 0;; i++) {
        const std::string at = "data.fromSegments." + std::to_string(i) + ".segmentIndex";
        if (!shop.has(at)) {
            break;
        }
        bags += std::string(bags.empty() ? "" : ",") + "{\"productCode\":" +
                shop.raw("data.ancillaryProductElements.0.productCode") + ",\"segmentIndex\":" + shop.raw(at) + "}";
    }
    return "{\"sessionId\":" + shop.raw("data.sessionId") + ",\"ancillaryCategory\":\"BAGGAGE\",\"ticketOrderNo\":" +
           order.raw("data.orderNo") + ",\"passengers\":[{\"name\":" + order.raw("data.paxTicketInfos.0.name") +
           ",\"passengerType\":" + order.raw("data.paxTicketInfos.0.passengerType") + ",\"ancillaries\":[" + bags +
           "]}]}";
}

static End buy(Session &session, const Json &order, const Json &shop)
{
    print_line("submit", "order the bag");
    return session.client.post_booking_ancillary_order(bag_request(order, shop))
        .match(
            [&session](const apb::Reply &done) {
                const Json made(done);
                const std::string bag = made["data.orderNo"];
                if (bag.empty()) { // "already ordered", without the order number
                    print_error(done);
                    return End::unresolved;
                }
                print_line("happened?", "yes: order " + bag + ", " + made["data.totalPrice"] + " " +
                                            made["data.currency"] + " to be paid by " + made["data.tktLimitTime"]);
                return pay(session, bag);
            },
            not_executed,
            [](const apb::Reply &lost) {
                // The order moves no money: it lapses unpaid. A person can take the time to find out.
                print_line("happened?", "not known: " + lost.message());
                return End::unresolved;
            });
}

static End baggage_example(Session &session)
{
    const apb::Reply order = session.booking();
    if (!order.ok()) {
        return End::refused;
    }
    const apb::Reply reply = session.client.post_booking_ancillary_search(
        "{\"ticketOrderNo\":\"" + session.order_no + "\",\"ancillaryCategory\":\"BAGGAGE\"}");
    const Json shop(reply);
    if (!reply.ok()) {
        print_error(reply);
        return End::refused;
    }
    const std::string first = "data.ancillaryProductElements.0.";
    if (!shop.has(first + "price")) {
        print_line("quote", "no bags are on sale for this order");
        return End::refused;
    }
    print_line("quote", "a bag of " + shop[first + "auxBaggageElement.weight"] + " kg costs " + shop[first + "price"] +
                            " " + shop["data.currency"]);
    session.print_deposit("before");
    const End end = buy(session, Json(order), shop);
    session.print_deposit("after");
    print_line("the end", end == End::done   ? "paid and ticketed"
                    : end == End::refused ? "no bag"
                                          : "still open: a person looks at it, and nothing is sent twice");
    return end;
}

int main(int argc, char **argv)
{
    return run(argc, argv, baggage_example);
}
