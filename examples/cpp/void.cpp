// A void, which cancels a whole order soon after ticketing: quotation, submit, and queries until it is done.
//
//   void BASE_URL ORDER_NO
#include "example.hpp"

static End void_example(Session &session)
{
    if (!session.booking().ok()) {
        return End::refused;
    }
    CancellationKind kind = {"void",     "voided", "voidOrders", "voidOfferId", "voidStatus",
                             "voidCode", nullptr,  nullptr,      nullptr,       30};
    kind.quote = [&session] { return session.client.void_quotation(session.about(session.order_no)); };
    kind.submit = [&session](const std::string &request) { return session.client.void_(request); };
    kind.query = [&session](const std::string &request) { return session.client.query_void_orders(request); };

    const apb::Reply reply = kind.quote();
    const Json quote(reply);
    if (!reply.ok()) {
        print_error(reply);
        return End::refused;
    }
    if (quote["data.isVoidable"] != "true") {
        print_line("quote", "this order cannot be voided; ask for a refund");
        return End::refused;
    }
    return accept_quote(session, kind, quote, "voidFareAmount");
}

int main(int argc, char **argv)
{
    return run(argc, argv, void_example);
}
