// Like caller.c, but in C++ and always through apb_call(). caller.c describes the protocol.
#include "atlas_postbooking.h"

#include <array>
#include <cstdio>
#include <iostream>
#include <memory>
#include <string>

namespace {

struct Free {
    void operator()(apb_client *client) const { apb_client_free(client); }
    void operator()(apb_reply *reply) const { apb_reply_free(reply); }
};
using Client = std::unique_ptr<apb_client, Free>;
using Reply = std::unique_ptr<apb_reply, Free>;

struct Call {
    std::string verb;
    unsigned long times = 0;
    std::array<std::string, 4> texts;  // operation, config, request, options
};

bool read(Call &call)
{
    std::array<std::size_t, 4> sizes{};
    if (!(std::cin >> call.verb >> call.times)) {
        return false;
    }
    for (auto &size : sizes) {
        std::cin >> size;
    }
    std::cin.get();
    for (std::size_t i = 0; i < sizes.size(); ++i) {
        call.texts[i].resize(sizes[i]);
        std::cin.read(&call.texts[i][0], static_cast<std::streamsize>(sizes[i]));
    }
    return static_cast<bool>(std::cin);
}

apb_status answer(const Call &call, Client &client, Reply &reply)
{
    const auto &operation = call.texts[0], &config = call.texts[1], &request = call.texts[2], &options = call.texts[3];
    apb_reply *out = nullptr;
    apb_status status = APB_OK;
    if (call.verb == "VALIDATE") {
        status = apb_validate(operation.c_str(), request.data(), request.size(), &out);
    } else if (call.verb == "DESCRIBE") {
        status = apb_describe(operation.empty() ? nullptr : operation.c_str(), &out);
    } else {
        if (call.verb == "CALL") {
            apb_client *made = nullptr;
            status = apb_client_new(config.data(), config.size(), &made, &out);
            client.reset(made);
        }
        for (auto left = status == APB_OK ? call.times : 0; left > 0; --left) {
            apb_reply_free(out);
            status = apb_call(client.get(), operation.c_str(), request.data(), request.size(), options.data(),
                              options.size(), nullptr, &out);
        }
    }
    reply.reset(out);
    return status;
}

}  // namespace

int main()
{
    std::cout << "ready" << std::endl;
    for (Call call; read(call);) {
        Client client;
        Reply reply;
        const apb_status status = answer(call, client, reply);
        if (!reply || status != apb_reply_status(reply.get())) {
            std::cerr << "caller.cpp: status " << status << ", but the reply says " << apb_reply_status(reply.get())
                      << '\n';
            return 3;
        }
        client.reset();
        std::size_t json_len = 0, raw_len = 0;
        const char *json = apb_reply_json(reply.get(), &json_len);
        const char *raw = apb_reply_raw(reply.get(), &raw_len);
        std::cout << status << ' ' << apb_reply_outcome(reply.get()) << ' ' << apb_reply_http_status(reply.get()) << ' '
                  << apb_reply_vendor_status(reply.get()) << ' ' << json_len << ' '
                  << (raw == nullptr ? -1 : static_cast<long>(raw_len)) << ' ' << apb_live_handles() - 1 << '\n';
        std::cout.write(json, static_cast<std::streamsize>(json_len));
        std::cout.write(raw == nullptr ? "" : raw, static_cast<std::streamsize>(raw_len));
        std::cout.flush();
    }
    return apb_live_handles() == 0 ? 0 : 5;
}
