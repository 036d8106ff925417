/*
 * misuse.c - NULL for every pointer, freed handles, wrong lengths, invalid texts. Each is an error, nothing
 * crashes, and nothing is sent: no server listens at the address.
 */
#include <stdint.h>
#include <stdlib.h>

#include "atlas_postbooking.h"
#include "check.h"
#include "operations.h"

static const char config[] = "{\"baseUrl\":\"http://127.0.0.1:9\",\"clientId\":\"me\",\"clientSecret\":\"s3cr3t-of-mine\"}";
static const char request[] = "{\"orderNo\":\"X\"}";

/* Checks that a reply has the expected status and the outcome not executed, and frees it. */
static void expect(apb_status got, apb_reply *reply, apb_status expected, int line)
{
    char message[128];
    sprintf(message, "status %s instead of %s in line %d", apb_status_name(got), apb_status_name(expected), line);
    CHECK_MSG(got == expected && reply != NULL, message);
    CHECK_MSG(apb_reply_status(reply) == got, message);
    CHECK_MSG(apb_reply_outcome(reply) == APB_NOT_EXECUTED, message);
    CHECK_MSG(strstr(apb_reply_json(reply, NULL), "\"outcome\":\"not_executed\"") != NULL, message);
    CHECK_MSG(strstr(apb_reply_json(reply, NULL), "s3cr3t") == NULL, message);
    apb_reply_free(reply);
}

#define EXPECT(call, expected)                                                                                           \
    do {                                                                                                               \
        apb_reply *reply = NULL;                                                                                       \
        apb_status got = (call);                                                                                       \
        expect(got, reply, expected, __LINE__);                                                                          \
    } while (0)

static apb_client *open_client(void)
{
    apb_client *client = NULL;
    CHECK(apb_client_new(config, APB_ZSTR, &client, NULL) == APB_OK && client != NULL);
    return client;
}

static void nulls(void)
{
    apb_client *client = open_client();
    apb_client *none = client;
    size_t len = 77;
    size_t i;

    EXPECT(apb_client_new(config, APB_ZSTR, NULL, &reply), APB_E_NULL);
    EXPECT(apb_client_new(NULL, 5, &none, &reply), APB_E_NULL);
    CHECK(none == NULL);
    CHECK(apb_client_new(NULL, APB_ZSTR, NULL, NULL) == APB_E_NULL);
    CHECK(apb_client_new(NULL, 0, &none, NULL) < 0 && none == NULL);
    EXPECT(apb_call(client, NULL, request, APB_ZSTR, NULL, 0, NULL, &reply), APB_E_NULL);
    EXPECT(apb_call(client, "void", NULL, 3, NULL, 0, NULL, &reply), APB_E_NULL);
    EXPECT(apb_call(client, "void", NULL, APB_ZSTR, NULL, 0, NULL, &reply), APB_E_NULL);
    EXPECT(apb_call(client, "void", request, APB_ZSTR, NULL, 2, NULL, &reply), APB_E_NULL);
    EXPECT(apb_call(NULL, "void", request, APB_ZSTR, NULL, 0, NULL, &reply), APB_E_NULL);
    CHECK(apb_call(client, "void", request, APB_ZSTR, NULL, 0, NULL, NULL) == APB_E_NULL);
    CHECK(apb_call(NULL, NULL, NULL, 0, NULL, 0, NULL, NULL) == APB_E_NULL);
    EXPECT(apb_validate(NULL, request, APB_ZSTR, &reply), APB_E_NULL);
    EXPECT(apb_validate("void", NULL, 9, &reply), APB_E_NULL);
    CHECK(apb_validate("void", request, APB_ZSTR, NULL) == APB_E_NULL);
    CHECK(apb_describe(NULL, NULL) == APB_E_NULL);
    for (i = 0; i < OPERATION_COUNT; i++) {
        CHECK_MSG(operations[i].function(client, request, APB_ZSTR, NULL) == APB_E_NULL, operations[i].name);
        if (strcmp(operations[i].name, "parseWebhook") != 0) {
            EXPECT(operations[i].function(NULL, request, APB_ZSTR, &reply), APB_E_NULL);
            EXPECT(operations[i].function(client, NULL, APB_ZSTR, &reply), APB_E_NULL);
        }
    }
    CHECK(apb_reply_json(NULL, &len) == NULL && len == 0);
    CHECK(apb_reply_json(NULL, NULL) == NULL);
    CHECK(apb_reply_raw(NULL, NULL) == NULL);
    CHECK(apb_reply_status(NULL) == APB_E_NULL);
    CHECK(apb_reply_outcome(NULL) == APB_UNKNOWN);
    CHECK(apb_reply_http_status(NULL) == 0);
    CHECK(apb_reply_vendor_status(NULL) == APB_NO_VENDOR_STATUS);
    CHECK(apb_reply_message(NULL) == NULL);
    apb_reply_free(NULL);
    apb_client_free(NULL);
    apb_client_free(client);
}

static void handles(void)
{
    apb_client *first = open_client();
    apb_client *second;
    apb_client *copy = first;
    int i;

    apb_client_free(first);
    EXPECT(apb_void(copy, request, APB_ZSTR, &reply), APB_E_HANDLE);
    apb_client_free(copy); /* a second time: nothing */
    CHECK(apb_live_handles() == 0);
    second = open_client(); /* in the same slot, yet not the same */
    CHECK(second != copy);
    EXPECT(apb_void(copy, request, APB_ZSTR, &reply), APB_E_HANDLE);
    apb_client_free(copy);
    CHECK(apb_live_handles() == 1);
    EXPECT(apb_void((apb_client *)(uintptr_t)0xdeadbeef, request, APB_ZSTR, &reply), APB_E_HANDLE);
    EXPECT(apb_void((apb_client *)UINTPTR_MAX, request, APB_ZSTR, &reply), APB_E_HANDLE);
    EXPECT(apb_void((apb_client *)(uintptr_t)1, request, APB_ZSTR, &reply), APB_E_HANDLE);
    EXPECT(apb_call(second, "void", request, APB_ZSTR, NULL, 0, (apb_cancel *)(uintptr_t)0x1234567, &reply), APB_E_HANDLE);
    apb_client_free((apb_client *)&copy);
    for (i = 0; i < 10000; i++) {
        apb_client *made = NULL;
        if (apb_client_new(config, APB_ZSTR, &made, NULL) != APB_OK || made == copy || made == second) {
            CHECK_MSG(0, "a freed handle is in use again");
            break;
        }
        apb_client_free(made);
        if (i % 1000 == 0) {
            EXPECT(apb_void(made, request, APB_ZSTR, &reply), APB_E_HANDLE);
        }
    }
    apb_client_free(second);
}

static void texts(void)
{
    apb_client *client = open_client();
    apb_client *none = NULL;
    static const char *const bad_utf8[] = {"\xff", "{\"orderNo\":\"\xc3\x28\"}", "{\"orderNo\":\"\xed\xa0\x80\"}",
                                           "{\"orderNo\":\"\xf8\x88\x80\x80\x80\"}", "{\"orderNo\":\"abc\xe2\x82"};
    static const char *const bad_json[] = {"{", "}", "[", "nul", "{\"orderNo\":}", "{\"orderNo\":\"x\"", "{\"orderNo\":\"\\x\"}",
                                           "{\"orderNo\":\"x\"}}", "{'orderNo':'x'}", "{\"orderNo\":01}", "{\"a\":1,}"};
    static const char *const bad_shape[] = {"[]", "\"x\"", "1", "null", "true", "{\"orderNo\":{}}", "{\"orderNo\":[\"x\"]}",
                                            "{}", "{\"orderNo\":null}", "{\"order_no\":\"x\"}", "{\"orderNo\":\"x\",\"voidOferId\":\"y\"}"};
    size_t i;
    for (i = 0; i < sizeof bad_utf8 / sizeof *bad_utf8; i++) {
        EXPECT(apb_void(client, bad_utf8[i], APB_ZSTR, &reply), APB_E_UTF8);
        EXPECT(apb_call(client, "void", request, APB_ZSTR, bad_utf8[i], APB_ZSTR, NULL, &reply), APB_E_UTF8);
        EXPECT(apb_call(client, bad_utf8[i], request, APB_ZSTR, NULL, 0, NULL, &reply), APB_E_UTF8);
        EXPECT(apb_validate("void", bad_utf8[i], APB_ZSTR, &reply), APB_E_UTF8);
        EXPECT(apb_client_new(bad_utf8[i], APB_ZSTR, &none, &reply), APB_E_UTF8);
    }
    for (i = 0; i < sizeof bad_json / sizeof *bad_json; i++) {
        EXPECT(apb_void(client, bad_json[i], APB_ZSTR, &reply), APB_E_JSON);
        EXPECT(apb_client_new(bad_json[i], APB_ZSTR, &none, &reply), APB_E_JSON);
    }
    for (i = 0; i < sizeof bad_shape / sizeof *bad_shape; i++) {
        EXPECT(apb_void(client, bad_shape[i], APB_ZSTR, &reply), APB_E_REQUEST);
    }
    EXPECT(apb_call(client, "", request, APB_ZSTR, NULL, 0, NULL, &reply), APB_E_OPERATION);
    EXPECT(apb_call(client, "Void", request, APB_ZSTR, NULL, 0, NULL, &reply), APB_E_OPERATION);
    EXPECT(apb_call(client, "void\r\nHost: x", request, APB_ZSTR, NULL, 0, NULL, &reply), APB_E_OPERATION);
    EXPECT(apb_describe("vo\"id", &reply), APB_E_OPERATION);
    /* A NUL inside of a text that has a length is a wrong character, not an end. */
    EXPECT(apb_void(client, "{\"orderNo\":\"a\0b\"}", 17, &reply), APB_E_JSON);
    EXPECT(apb_void(client, "{\"orderNo\":\"x\"}\0", 16, &reply), APB_E_JSON);
    apb_client_free(client);
}

static void lengths(void)
{
    apb_client *client = open_client();
    /* Without a NUL behind it, so that a sanitizer reports a read past its length. */
    size_t len = strlen(request);
    char *exact = (char *)malloc(len);
    size_t i;
    memcpy(exact, request, len);
    for (i = 1; i < len; i++) {
        EXPECT(apb_void(client, exact, i, &reply), APB_E_JSON);
    }
    EXPECT(apb_void(client, exact, len, &reply), APB_E_REQUEST); /* voidOfferId is missing */
    EXPECT(apb_void(client, exact, 0, &reply), APB_E_REQUEST);   /* as if it were {} */
    EXPECT(apb_void(client, exact, (size_t)-2, &reply), APB_E_NULL); /* larger than any object */
    EXPECT(apb_void(client, exact, (size_t)1 << 63, &reply), APB_E_NULL);
    free(exact);
    apb_client_free(client);
}

/* 50 MB of text and 10,000 levels of nesting are an error, not a crash. */
static void sizes(size_t megabytes)
{
    apb_client *client = open_client();
    size_t size = megabytes << 20;
    char *big = (char *)malloc(size + 64);
    size_t len;
    int shape;

    len = (size_t)sprintf(big, "{\"orderNo\":\"");
    memset(big + len, 'A', size);
    len += size;
    len += (size_t)sprintf(big + len, "\"}");
    EXPECT(apb_void(client, big, len, &reply), APB_E_REQUEST);
    EXPECT(apb_call(client, "void", request, APB_ZSTR, big, len, NULL, &reply), APB_E_REQUEST);
    memset(big, 'v', size);
    big[size] = '\0';
    EXPECT(apb_call(client, big, request, APB_ZSTR, NULL, 0, NULL, &reply), APB_E_OPERATION);
    EXPECT(apb_void(client, big, size, &reply), APB_E_JSON);
    for (shape = 0; shape < 4; shape++) {
        static const char *const opens[] = {"[", "{\"orderNo\":", "{\"orderNo\":\"x\",\"a\":[", "["};
        apb_status status;
        apb_reply *reply = NULL;
        int i;
        len = 0;
        for (i = 0; i < 10000; i++) {
            len += (size_t)sprintf(big + len, "%s", opens[shape]);
        }
        for (i = 0; i < 10000 && shape == 3; i++) {
            len += (size_t)sprintf(big + len, "]");
        }
        status = apb_void(client, big, len, &reply);
        CHECK(status == APB_E_JSON || status == APB_E_REQUEST);
        CHECK(apb_reply_outcome(reply) == APB_NOT_EXECUTED);
        apb_reply_free(reply);
        reply = NULL;
        CHECK(apb_parse_webhook(NULL, big, len, &reply) < 0);
        apb_reply_free(reply);
    }
    free(big);
    apb_client_free(client);
}

int main(int argc, char **argv)
{
    nulls();
    handles();
    texts();
    lengths();
    sizes(argc > 1 ? (size_t)atoi(argv[1]) : 50);
    CHECK(apb_live_handles() == 0);
    return check_end();
}
