// A bag for a ticketed order: search, order, pay, and the ticket of the bag.
//
//   baggage BASE_URL ORDER_NO
#include "story.hpp"

static const int ticketed = 2;
static const int unreadable = -99;

static int state_of(const Desk &desk, const std::string &bag)
{
    const apb::Reply reply = desk.client.query_order_details(desk.about(bag));
    const std::string state = Json(reply)["data.orderStatus"];
    return reply.ok() && !state.empty() ? std::atoi(state.c_str()) : unreadable;
}

static End follow(Desk &desk, const std::string &bag)
{
    for (int tries = 0; tries < 60; tries++) {
        const int state = state_of(desk, bag);
        if (state == ticketed) {
            tell(desk.when(), "ticketed: the bag is booked");
            return End::settled;
        }
        if (state < 0 && state != unreadable) {
            tell(desk.when(), "cancelled, and the money is on the deposit again");
            return End::refused;
        }
        if (!desk.wait(1)) {
            break;
        }
    }
    return End::unsettled;
}

static End no_for_certain(const apb::Reply &refused)
{
    tell("happened?", "no, for certain");
    tell_error(refused);
    return End::refused;
}

// Pays, once. The money moves here.
static End pay(Desk &desk, const std::string &bag)
{
    tell("submit", "pay, from the deposit");
    return desk.client.pay("{\"orderNo\":\"" + bag + "\",\"paymentMethod\":1}")
        .match(
            [&](const apb::Reply &) {
                tell("happened?", "yes: paid");
                return follow(desk, bag);
            },
            no_for_certain,
            [&](const apb::Reply &lost) { // the order itself knows whether it is paid
                tell("happened?", "not known: " + lost.message());
                if (!desk.wait(3) || state_of(desk, bag) <= 0) {
                    return End::unsettled;
                }
                tell("", "Found: the order is paid. It happened, and once.");
                return follow(desk, bag);
            });
}

// The request for the first bag on sale, for the first passenger, on every flight out.
static std::string choice(const Json &order, const Json &shop)
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
           ",\"passengerType\":" + order.raw("data.paxTicketInfos.0.passengerType") + ",\"ancillaries\":[" + bags + "]}]}";
}

static End buy(Desk &desk, const Json &order, const Json &shop)
{
    tell("submit", "order the bag");
    return desk.client.post_booking_ancillary_order(choice(order, shop))
        .match(
            [&desk](const apb::Reply &done) {
                const Json made(done);
                const std::string bag = made["data.orderNo"];
                if (bag.empty()) { // "such a bag was ordered before": which one, a person finds out
                    tell_error(done);
                    return End::unsettled;
                }
                tell("happened?", "yes: order " + bag + ", " + made["data.totalPrice"] + " " + made["data.currency"] +
                                      " to be paid by " + made["data.tktLimitTime"]);
                return pay(desk, bag);
            },
            no_for_certain,
            [](const apb::Reply &lost) {
                // No money moves with this order: unpaid, it lapses. Nothing is lost by letting a person look.
                tell("happened?", "not known: " + lost.message());
                return End::unsettled;
            });
}

static End baggage_story(Desk &desk)
{
    const apb::Reply order = desk.booking();
    if (!order.ok()) {
        return End::refused;
    }
    const apb::Reply reply = desk.client.post_booking_ancillary_search(
        "{\"ticketOrderNo\":\"" + desk.order_no + "\",\"ancillaryCategory\":\"BAGGAGE\"}");
    const Json shop(reply);
    if (!reply.ok()) {
        tell_error(reply);
        return End::refused;
    }
    const std::string first = "data.ancillaryProductElements.0.";
    if (!shop.has(first + "price")) {
        tell("quote", "no bags are on sale for this order");
        return End::refused;
    }
    tell("quote", "a bag of " + shop[first + "auxBaggageElement.weight"] + " kg costs " + shop[first + "price"] + " " +
                      shop["data.currency"]);
    desk.tell_deposit("before");
    const End end = buy(desk, Json(order), shop);
    desk.tell_deposit("after");
    tell("the end", end == End::settled   ? "paid and ticketed"
                    : end == End::refused ? "no bag"
                                          : "still open: a person looks at it, and nothing is sent twice");
    return end;
}

int main(int argc, char **argv)
{
    return play(argc, argv, baggage_story);
}
