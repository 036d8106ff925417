// probes.cpp - each PROBE is a mistake that must not compile; with PROBE=0 the file does.
#include "atlas_postbooking.hpp"

#include <string>

apb::Outcome use(const apb::Client &client);

apb::Outcome use(const apb::Client &client)
{
#if PROBE == 1 // two owners of one client
    apb::Client copy = client;
#elif PROBE == 2 // two owners of one reply
    const apb::Reply reply = client.balance("{}");
    apb::Reply copy(reply);
#elif PROBE == 3 // the data of a submit without its outcome
    const std::string json = client.refund("{}").json();
#elif PROBE == 4 // two branches for three outcomes
    if (client.refund("{}")) {
        return apb::Outcome::executed;
    }
#elif PROBE == 5 // "not ok" taken for "did not happen"
    if (!client.refund("{}").ok()) {
        return apb::Outcome::not_executed;
    }
#elif PROBE == 6 // a branch left out
    client.refund("{}").match([](const apb::Reply &) {}, [](const apb::Reply &) {});
#elif PROBE == 7 // a submit whose result is ignored
    client.refund("{}");
#elif PROBE == 8 // an outcome as a number
    const int number = client.refund("{}").outcome();
#elif PROBE == 9 // the reply of a submit without its outcome
    const apb::Reply reply = client.refund("{}");
#elif PROBE == 10 // configuration text as a client
    apb::Client made = "{}";
#elif PROBE == 11 // a case whose client is a temporary
    const apb::Case one(apb::Client(), "key");
#elif PROBE == 12 // a case opened as if it were a read
    const apb::Reply reply = apb::Case(client, "key").open("void", "order");
#elif PROBE == 13 // money as a floating-point number
    const std::string text = apb::Request().set("minRefund", 84.7).text();
#elif PROBE == 14 // a field of a reply that is gone
    const apb::Field field = client.balance("{}")["data"];
#endif
    apb::Outcome outcome;
    const apb::Reply reply = client.refund("{}").take(outcome);
    return outcome;
}
