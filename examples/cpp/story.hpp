// What the three C++ example programs share: a desk with a client, the story, and how a refund or a
// void is submitted once and followed to its end. JSON is read with the examples' own little helper
// (../c/json_text.h); a real program uses the JSON library that it has.
#ifndef STORY_HPP
#define STORY_HPP

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <string>

#include "../c/json_text.h"
#include "../c/stage.h"
#include "atlas_postbooking.hpp"

// How a program ends. Unsettled is for a person to look at: it is neither success nor failure.
enum class End { settled = 0, refused = 1, misused = 2, unsettled = 3 };

// A read-only view of a reply's JSON.
class Json {
public:
    explicit Json(const apb::Reply &reply) : text_(reply.json()) {}
    bool has(const std::string &path) const
    {
        std::size_t size = 0;
        return json_find(text_.c_str(), path.c_str(), &size) != nullptr;
    }
    std::string operator[](const std::string &path) const
    {
        char value[512];
        return json_text(text_.c_str(), path.c_str(), value, sizeof value);
    }
    // The value as the JSON that it is, for building a request out of it without escaping again.
    std::string raw(const std::string &path) const
    {
        std::size_t size = 0;
        const char *value = json_find(text_.c_str(), path.c_str(), &size);
        return value == nullptr ? "null" : std::string(value, size);
    }

private:
    std::string text_;
};

inline void tell(const std::string &label, const std::string &text)
{
    std::cout << "  " << label << std::string(label.size() < 10 ? 11 - label.size() : 1, ' ') << text << std::endl;
}

inline void tell_error(const apb::Reply &reply)
{
    tell("", reply.message());
    tell("", Json(reply)["error.help"]);
}

class Desk {
public:
    // `more` are further members of the configuration.
    Desk(const std::string &base_url, const std::string &order, const std::string &more = "")
        : order_no(order), base_url_(base_url), minutes_(0)
    {
        apb::Reply why;
        // The credentials of a real program come from its own vault; the library reads no environment.
        client = apb::Client::create(
            "{\"baseUrl\":\"" + base_url + "\",\"clientId\":\"demo\",\"clientSecret\":\"demo\"" + more + "}", &why);
        if (!client) {
            tell_error(why);
            std::exit(static_cast<int>(End::misused));
        }
    }

    std::string about(const std::string &order) const { return "{\"orderNo\":\"" + order + "\"}"; }

    bool wait(long minutes)
    {
        minutes_ += minutes;
        return stage_wait(base_url_.c_str(), minutes) == 0;
    }
    std::string when() const
    {
        if (minutes_ == 0) {
            return "at once";
        }
        if (minutes_ < 120) {
            return std::to_string(minutes_) + " min";
        }
        return minutes_ < 48 * 60 ? std::to_string(minutes_ / 60) + " h" : std::to_string(minutes_ / 1440) + " days";
    }

    void tell_deposit(const std::string &label) const
    {
        const Json reply(client.balance("{}"));
        tell(label, reply["data.accountBalance.amount"] + " " + reply["data.accountBalance.currency"] + " on the deposit");
    }

    // The order, and a line about it; of no use if the reply is not ok.
    apb::Reply booking() const
    {
        apb::Reply reply = client.query_order_details(about(order_no));
        if (!reply.ok()) {
            tell_error(reply);
            return reply;
        }
        const Json order(reply);
        const std::string first = "data.routing.fromSegments.0.";
        tell("booking", order["data.paxTicketInfos.0.name"] + " flies " + order[first + "depAirport"] + " to " +
                            order[first + "arrAirport"] + " on " + order[first + "depTime"].substr(0, 10) + " and paid " +
                            order["data.totalPrice"] + " " + order["data.currency"]);
        return reply;
    }

    apb::Client client;
    std::string order_no;

private:
    std::string base_url_;
    long minutes_;
};

// A refund or a void.
struct Matter {
    std::string name, done;                // "void", "voided"
    std::string list, offer, status, code; // names in the query's reply
    std::function<apb::Reply()> quote;
    std::function<apb::Submitted(const std::string &)> submit;
    std::function<apb::Reply(const std::string &)> query;
    long pause; // minutes between two queries
};

class Story {
public:
    Story(Desk &desk, const Matter &matter, const std::string &offer) : desk_(desk), matter_(matter), offer_(offer) {}

    // Submits, once, looks at what came of it, and follows it.
    End submit()
    {
        desk_.tell_deposit("before");
        tell("submit", matter_.name + ", with the offer of that quote");
        const End end =
            matter_.submit("{\"orderNo\":\"" + desk_.order_no + "\",\"" + matter_.offer + "\":\"" + offer_ + "\"}")
                .match([this](const apb::Reply &done) { return executed(done); },
                       [](const apb::Reply &refused) {
                           tell("happened?", "no, for certain");
                           tell_error(refused);
                           return End::refused;
                       },
                       [this](const apb::Reply &lost) { // neither a success nor a failure, so ask
                           tell("happened?", "not known: " + lost.message());
                           return settle();
                       });
        desk_.tell_deposit("after");
        tell("the end", end == End::settled   ? matter_.done
                        : end == End::refused ? "not " + matter_.done
                                              : "still open: a person looks at it, and nothing is sent twice");
        return end;
    }

private:
    End executed(const apb::Reply &done)
    {
        if (done.status() == apb::Status::already_submitted) {
            tell("happened?", "yes, but somebody else was faster");
            offer_.clear();
        } else {
            code_ = Json(done)["data." + matter_.code];
            tell("happened?", "yes: " + matter_.name + " " + code_);
        }
        return follow();
    }

    // The state of the matter that was submitted with our offer; "" if it is not listed.
    std::string find(bool *answered) const
    {
        const std::string code = code_.empty() ? "" : ",\"" + matter_.code + "\":\"" + code_ + "\"";
        const apb::Reply reply = matter_.query("{\"orderNo\":\"" + desk_.order_no + "\"" + code + "}");
        *answered = reply.ok();
        const Json json(reply);
        for (int i = 0; *answered; i++) {
            const std::string at = "data." + matter_.list + "." + std::to_string(i);
            if (!json.has(at)) {
                break;
            }
            if (offer_.empty() || json[at + "." + matter_.offer] == offer_) {
                return json[at + "." + matter_.status];
            }
        }
        return "";
    }

    // The answer was lost. The matter may exist: look for it, and never submit again.
    End settle()
    {
        for (int tries = 0; tries < 5; tries++) {
            bool answered = false;
            if (!find(&answered).empty()) {
                tell("", "Found: Atlas has a " + matter_.name + " with our offer. It happened, and once.");
                return follow();
            }
            // Where nothing is listed without the code that was in the lost answer: Atlas gives no new
            // quote for what has been submitted.
            const int number = answered ? 0 : matter_.quote().vendor_status();
            if (number == 803 || number == 814 || number == 816 || number == 817 || number == 818) {
                tell("", "It happened, and once: Atlas quotes no second " + matter_.name + ".");
                tell("", "Its number, with which Atlas can be asked, comes by webhook.");
                return End::unsettled;
            }
            // "Not there" right after a lost answer proves nothing: it may still be on its way.
            if (!desk_.wait(3)) {
                break;
            }
        }
        return End::unsettled;
    }

    // Asks until Atlas says something final, and tells every change.
    End follow()
    {
        static const char *const meanings[] = {"Atlas is working on it",  "the airline is working on it", "done",
                                               "the airline is paying it", "rejected", "done, by card", "withdrawn"};
        std::string last;
        for (int tries = 0; tries < 500; tries++) {
            bool answered = false;
            const std::string state = find(&answered);
            if (!state.empty() && state != last) {
                const bool known = state.size() == 1 && state[0] >= '0' && state[0] <= '6';
                tell(desk_.when(), known ? meanings[state[0] - '0'] : "a status that this program does not know");
                last = state;
            }
            if (state == "2" || state == "5") {
                return End::settled;
            }
            if (state == "4" || state == "6") {
                return End::refused;
            }
            if (!desk_.wait(matter_.pause)) {
                break;
            }
        }
        return End::unsettled;
    }

    Desk &desk_;
    const Matter &matter_;
    std::string offer_;
    std::string code_;
};

// From an accepted quote to the end.
inline End accept_quote(Desk &desk, const Matter &matter, const Json &quote, const std::string &amount)
{
    tell("quote", "of " + quote["data." + amount + ".originalFareAmount"] + " " + quote["data." + amount + ".currency"] +
                      ", a " + matter.name + " gives back " + quote["data." + amount + ".estimatedRefundAmount"] +
                      "; Atlas keeps a fee of " + quote["data.serviceFee.transactionFee"]);
    return Story(desk, matter, quote["data." + matter.offer]).submit();
}

// Opens a desk from the command line and plays.
inline int play(int argc, char **argv, End (*story)(Desk &))
{
    if (argc != 3) {
        std::cerr << "usage: " << argv[0] << " BASE_URL ORDER_NO\n";
        return static_cast<int>(End::misused);
    }
    Desk desk(argv[1], argv[2]);
    return static_cast<int>(story(desk));
}

#endif
