/* libcurl and cJSON: the request is built, the whole reply parsed, its status checked. */
#include "curl.h"
#include <cjson/cJSON.h>

static cJSON *build(enum mode mode)
{
    static const char *const names[] = { "JANE", "JOHN" };
    cJSON *root = cJSON_CreateObject();
    cJSON *list;
    int i;

    if (mode == LIST) {
        cJSON_AddNumberToObject(root, "page", 1);
        return root;
    }
    cJSON_AddStringToObject(root, "orderNo", ORDER);
    cJSON_AddStringToObject(root, "displayCurrency", "EUR");
    if (mode == SUBMIT) {
        cJSON_AddStringToObject(root, "refundOfferId", OFFER);
        return root;
    }
    list = cJSON_AddArrayToObject(root, "refundRequestList");
    for (i = 0; i < 2; i++) {
        cJSON *passenger = cJSON_CreateObject();
        cJSON *segments;
        cJSON *segment = cJSON_CreateObject();
        cJSON_AddItemToArray(list, passenger);
        cJSON_AddStringToObject(passenger, "lastName", "DOE");
        cJSON_AddStringToObject(passenger, "firstName", names[i]);
        cJSON_AddStringToObject(passenger, "refundReason", "1");
        segments = cJSON_AddArrayToObject(passenger, "segments");
        cJSON_AddItemToArray(segments, segment);
        cJSON_AddStringToObject(segment, "depDate", "20260401");
        cJSON_AddStringToObject(segment, "flightNo", "ZZ123");
        cJSON_AddStringToObject(segment, "depAirport", "CNX");
        cJSON_AddStringToObject(segment, "arrAirport", "BKK");
    }
    return root;
}

static void one_call(enum mode mode)
{
    cJSON *request = build(mode);
    char *body = cJSON_PrintUnformatted(request);
    cJSON *reply;
    const cJSON *status;

    cJSON_Delete(request);
    post(body, strlen(body));
    cJSON_free(body);
    reply = cJSON_ParseWithLength(answer.data, answer.len);
    status = cJSON_GetObjectItemCaseSensitive(reply, "status");
    if (!cJSON_IsNumber(status) || status->valueint != 0) {
        fail("status");
    }
    cJSON_Delete(reply);
}
