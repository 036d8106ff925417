// A void, from the quote to the money: cancels a whole order soon after ticketing.
//
//   void BASE_URL ORDER_NO
#include "story.hpp"

static End void_story(Desk &desk)
{
    if (!desk.booking().ok()) {
        return End::refused;
    }
    Matter matter = {"void", "voided", "voidOrders", "voidOfferId", "voidStatus", "voidCode", nullptr, nullptr, nullptr, 30};
    matter.quote = [&desk] { return desk.client.void_quotation(desk.about(desk.order_no)); };
    matter.submit = [&desk](const std::string &request) { return desk.client.void_(request); };
    matter.query = [&desk](const std::string &request) { return desk.client.query_void_orders(request); };

    const apb::Reply reply = matter.quote();
    const Json quote(reply);
    if (!reply.ok()) {
        tell_error(reply);
        return End::refused;
    }
    if (quote["data.isVoidable"] != "true") {
        tell("quote", "this order cannot be voided; ask for a refund");
        return End::refused;
    }
    return accept_quote(desk, matter, quote, "voidFareAmount");
}

int main(int argc, char **argv)
{
    return play(argc, argv, void_story);
}
