// A refund: quotation, submit, and queries until the money is paid, weeks later.
//
//   refund BASE_URL ORDER_NO
#include "example.hpp"

// The request for all passengers and flights. Atlas refuses a part of the itinerary.
static std::string whole_order(const Json &order)
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
    std::string passengers;
    for (int i = 0;; i++) {
        const std::string at = "data.paxTicketInfos." + std::to_string(i) + ".name";
        if (!order.has(at)) {
            break;
        }
        // Reason 1: voluntary.
        passengers += std::string(passengers.empty() ? "" : ",") + "{\"name\":" + order.raw(at) +
                  ",\"refundReason\":1,\"segments\":[" + flights + "]}";
    }
    return "{\"orderNo\":" + order.raw("data.orderNo") + ",\"refundRequestList\":[" + passengers + "]}";
}

static End refund_example(Session &session)
{
    const apb::Reply order = session.booking();
    if (!order.ok()) {
        return End::refused;
    }
    const std::string request = whole_order(Json(order));
    CancellationKind kind = {"refund",     "refunded", "refundOrders", "refundOfferId", "refundStatus",
                     "refundCode", nullptr,    nullptr,        nullptr,         240};
    kind.quote = [&session, &request] { return session.client.refund_quotation(request); };
    kind.submit = [&session](const std::string &submit) { return session.client.refund(submit); };
    kind.query = [&session](const std::string &query) { return session.client.query_refund_orders(query); };

    const apb::Reply reply = kind.quote();
    const Json quote(reply);
    if (!reply.ok()) {
        print_error(reply);
        return End::refused;
    }
    if (quote["data.isRefundable"] != "true") {
        print_line("quote", "this order cannot be refunded");
        return End::refused;
    }
    return accept_quote(session, kind, quote, "refundFareAmount");
}

int main(int argc, char **argv)
{
    return run(argc, argv, refund_example);
}
