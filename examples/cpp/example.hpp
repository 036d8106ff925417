// What the C++ example programs share: a client with its order, lines of output, and a refund or void, which is
// submitted once and queried until its state is final. JSON is read with ../c/json_text.h; a real program uses a
// JSON library.
#ifndef EXAMPLE_HPP
#define EXAMPLE_HPP

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <string>

#include "../c/json_text.h"
#include "../c/simulated_clock.h"
#include "atlas_postbooking.hpp"

// Exit codes. Unresolved is neither success nor failure: a person has to find out.
enum class End { done = 0, refused = 1, usage_error = 2, unresolved = 3 };

// The JSON of a reply, for reading.
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
    // The value as JSON text, which goes into a request without being escaped again.
    std::string raw(const std::string &path) const
    {
        std::size_t size = 0;
        const char *value = json_find(text_.c_str(), path.c_str(), &size);
        return value == nullptr ? "null" : std::string(value, size);
    }

private:
    std::string text_;
};

inline void print_line(const std::string &label, const std::string &text)
{
    std::cout << "  " << label << std::string(label.size() < 10 ? 11 - label.size() : 1, ' ') << text << std::endl;
}

inline void print_error(const apb::Reply &reply)
{
    print_line("", reply.message());
    print_line("", Json(reply)["error.help"]);
}

class Session {
public:
    // `more` are further members of the configuration.
    Session(const std::string &base_url, const std::string &order, const std::string &more = "")
        : order_no(order), base_url_(base_url), minutes_(0)
    {
        apb::Reply why;
        // A real program reads its credentials from a vault; the library reads no environment variables.
        client = apb::Client::create(
            "{\"baseUrl\":\"" + base_url + "\",\"clientId\":\"demo\",\"clientSecret\":\"demo\"" + more + "}", &why);
        if (!client) {
            print_error(why);
            std::exit(static_cast<int>(End::usage_error));
        }
    }

    std::string about(const std::string &order) const { return "{\"orderNo\":\"" + order + "\"}"; }

    bool wait(long minutes)
    {
        minutes_ += minutes;
        return advance_clock(base_url_.c_str(), minutes) == 0;
    }
    std::string elapsed() const
    {
        if (minutes_ == 0) {
            return "at once";
        }
        if (minutes_ < 120) {
            return std::to_string(minutes_) + " min";
        }
        return minutes_ < 48 * 60 ? std::to_string(minutes_ / 60) + " h" : std::to_string(minutes_ / 1440) + " days";
    }

    void print_deposit(const std::string &label) const
    {
        const Json reply(client.balance("{}"));
        print_line(label, reply["data.accountBalance.amount"] + " " +
                              reply["data.accountBalance.currency"] + " on the deposit");
    }

    // Queries the order and prints passenger, flight and price.
    apb::Reply booking() const
    {
        apb::Reply reply = client.query_order_details(about(order_no));
        if (!reply.ok()) {
            print_error(reply);
            return reply;
        }
        const Json order(reply);
        const std::string first = "data.routing.fromSegments.0.";
        print_line("booking", order["data.paxTicketInfos.0.name"] + " flies " + order[first + "depAirport"] + " to " +
                                  order[first + "arrAirport"] + " on " + order[first + "depTime"].substr(0, 10) +
                                  " and paid " + order["data.totalPrice"] + " " + order["data.currency"]);
        return reply;
    }

    apb::Client client;
    std::string order_no;

private:
    std::string base_url_;
    long minutes_;
};

// What differs between a refund and a void.
struct CancellationKind {
    std::string name, done;                // "void", "voided"
    std::string list, offer, status, code; // names of fields in the query's reply
    std::function<apb::Reply()> quote;
    std::function<apb::Submitted(const std::string &)> submit;
    std::function<apb::Reply(const std::string &)> query;
    long pause; // minutes between two queries
};

class Cancellation {
public:
    Cancellation(Session &session, const CancellationKind &kind, const std::string &offer)
        : session_(session), kind_(kind), offer_(offer)
    {
    }

    // Submits once, goes on by the outcome, and prints the result.
    End submit()
    {
        session_.print_deposit("before");
        print_line("submit", kind_.name + ", with the offer of that quote");
        const End end =
            kind_.submit("{\"orderNo\":\"" + session_.order_no + "\",\"" + kind_.offer + "\":\"" + offer_ + "\"}")
                .match([this](const apb::Reply &done) { return executed(done); },
                       [](const apb::Reply &refused) {
                           print_line("happened?", "no, for certain");
                           print_error(refused);
                           return End::refused;
                       },
                       [this](const apb::Reply &lost) { // neither success nor failure, so query
                           print_line("happened?", "not known: " + lost.message());
                           return resolve_unknown();
                       });
        session_.print_deposit("after");
        print_line("the end", end == End::done   ? kind_.done
                        : end == End::refused ? "not " + kind_.done
                                              : "still open: a person looks at it, and nothing is sent twice");
        return end;
    }

private:
    End executed(const apb::Reply &done)
    {
        if (done.status() == apb::Status::already_submitted) {
            print_line("happened?", "yes, but somebody else was faster");
            offer_.clear();
        } else {
            code_ = Json(done)["data." + kind_.code];
            print_line("happened?", "yes: " + kind_.name + " " + code_);
        }
        return follow();
    }

    // The state of what was submitted with this offer id; "" if it is not listed.
    std::string find(bool *answered) const
    {
        const std::string code = code_.empty() ? "" : ",\"" + kind_.code + "\":\"" + code_ + "\"";
        const apb::Reply reply = kind_.query("{\"orderNo\":\"" + session_.order_no + "\"" + code + "}");
        *answered = reply.ok();
        const Json json(reply);
        for (int i = 0; *answered; i++) {
            const std::string at = "data." + kind_.list + "." + std::to_string(i);
            if (!json.has(at)) {
                break;
            }
            if (offer_.empty() || json[at + "." + kind_.offer] == offer_) {
                return json[at + "." + kind_.status];
            }
        }
        return "";
    }

    // The reply was lost. It may have been executed: query, and do not submit again.
    End resolve_unknown()
    {
        for (int tries = 0; tries < 5; tries++) {
            bool answered = false;
            if (!find(&answered).empty()) {
                print_line("", "Found: Atlas has a " + kind_.name + " with our offer. It happened, and once.");
                return follow();
            }
            // Some accounts are listed nothing without the refundCode, which was in the lost reply. Then a new
            // quotation tells: Atlas refuses one for what has been submitted, with one of these codes.
            const int number = answered ? 0 : kind_.quote().vendor_status();
            if (number == 803 || number == 814 || number == 816 || number == 817 || number == 818) {
                print_line("", "It happened, and once: Atlas quotes no second " + kind_.name + ".");
                print_line("", "Its number, with which Atlas can be asked, comes by webhook.");
                return End::unresolved;
            }
            // "Not there" right after a lost answer proves nothing: it may still be on its way.
            if (!session_.wait(3)) {
                break;
            }
        }
        return End::unresolved;
    }

    // Queries until the state is final, and prints every change.
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
                print_line(session_.elapsed(),
                           known ? meanings[state[0] - '0'] : "a status that this program does not know");
                last = state;
            }
            if (state == "2" || state == "5") {
                return End::done;
            }
            if (state == "4" || state == "6") {
                return End::refused;
            }
            if (!session_.wait(kind_.pause)) {
                break;
            }
        }
        return End::unresolved;
    }

    Session &session_;
    const CancellationKind &kind_;
    std::string offer_;
    std::string code_;
};

// Submits an accepted quote. `amount` is the object of the quote with the amounts.
inline End accept_quote(Session &session, const CancellationKind &kind, const Json &quote,
                        const std::string &amount)
{
    print_line("quote", "of " + quote["data." + amount + ".originalFareAmount"] + " " +
                            quote["data." + amount + ".currency"] + ", a " + kind.name + " gives back " +
                            quote["data." + amount + ".estimatedRefundAmount"] + "; Atlas keeps a fee of " + quote["data.serviceFee.transactionFee"]);
    return Cancellation(session, kind, quote["data." + kind.offer]).submit();
}

// Makes a session from the command line and runs an example.
inline int run(int argc, char **argv, End (*example)(Session &))
{
    if (argc != 3) {
        std::cerr << "usage: " << argv[0] << " BASE_URL ORDER_NO\n";
        return static_cast<int>(End::usage_error);
    }
    Session session(argv[1], argv[2]);
    return static_cast<int>(example(session));
}

#endif
