// A refund, from the quote to the money, weeks later.
//
//   refund BASE_URL ORDER_NO
#include "story.hpp"

// The request for everybody, with every flight: half an itinerary is refused.
static std::string everybody(const Json &order)
{
    std::string flights;
    for (const char *direction : {"fromSegments", "retSegments"}) {
        for (int i = 0;; i++) {
            const std::string at = std::string("data.routing.") + direction + "." + std::to_string(i);
            if (!order.has(at)) {
                break;
            }
            flights += std::string(flights.empty() ? "" : ",") + "{\"flightNo\":" + order.raw(at + ".flightNumber") +
                       ",\"depAirport\":" + order.raw(at + ".depAirport") + ",\"arrAirport\":" +
                       order.raw(at + ".arrAirport") + ",\"depDate\":\"" + order[at + ".depTime"].substr(0, 10) + "\"}";
        }
    }
    std::string people;
    for (int i = 0;; i++) {
        const std::string at = "data.paxTicketInfos." + std::to_string(i) + ".name";
        if (!order.has(at)) {
            break;
        }
        // Reason 1: the passengers' own wish.
        people += std::string(people.empty() ? "" : ",") + "{\"name\":" + order.raw(at) +
                  ",\"refundReason\":1,\"segments\":[" + flights + "]}";
    }
    return "{\"orderNo\":" + order.raw("data.orderNo") + ",\"refundRequestList\":[" + people + "]}";
}

static End refund_story(Desk &desk)
{
    const apb::Reply order = desk.booking();
    if (!order.ok()) {
        return End::refused;
    }
    const std::string request = everybody(Json(order));
    Matter matter = {"refund",     "refunded", "refundOrders", "refundOfferId", "refundStatus",
                     "refundCode", nullptr,    nullptr,        nullptr,         240};
    matter.quote = [&desk, &request] { return desk.client.refund_quotation(request); };
    matter.submit = [&desk](const std::string &submit) { return desk.client.refund(submit); };
    matter.query = [&desk](const std::string &query) { return desk.client.query_refund_orders(query); };

    const apb::Reply reply = matter.quote();
    const Json quote(reply);
    if (!reply.ok()) {
        tell_error(reply);
        return End::refused;
    }
    if (quote["data.isRefundable"] != "true") {
        tell("quote", "this order cannot be refunded");
        return End::refused;
    }
    return accept_quote(desk, matter, quote, "refundFareAmount");
}

int main(int argc, char **argv)
{
    return play(argc, argv, refund_story);
}
