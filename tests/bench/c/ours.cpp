// This library through the C++ header.
#include "request.h"
#include <atlas_postbooking.hpp>

static apb::Client client;

static void open_client(const char *base_url, enum mode)
{
    const std::string config = std::string("{\"baseUrl\":\"") + base_url + "\",\"clientId\":\"" CLIENT_ID
                                                                          "\",\"clientSecret\":\"" CLIENT_SECRET "\"}";
    client = apb::Client(config);
}

static void one_call(enum mode mode)
{
    std::size_t len = 0;
    char *text = build_request(mode, &len);
    const std::string body(text, len);
    std::free(text);
    bool executed = false;
    if (mode == SUBMIT) {
        client.refund(body).match([&](const apb::Reply &) { executed = true; }, [](const apb::Reply &) {},
                                  [](const apb::Reply &) {});
    } else {
        executed = (mode == LIST ? client.order_list(body) : client.refund_quotation(body)).ok();
    }
    if (!executed) {
        fail("call");
    }
}
