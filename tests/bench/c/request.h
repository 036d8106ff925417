/* request.h - the request of 0.4 kB, built with yyjson. */
#ifndef REQUEST_H
#define REQUEST_H

#include "bench.h"
#include "yyjson.h"

/* The result is to be released with free(). */
static char *build_request(enum mode mode, size_t *len)
{
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    char *text;

    yyjson_mut_doc_set_root(doc, root);
    if (mode == LIST) {
        yyjson_mut_obj_add_int(doc, root, "page", 1);
    } else {
        yyjson_mut_obj_add_str(doc, root, "orderNo", ORDER);
        yyjson_mut_obj_add_str(doc, root, "displayCurrency", "EUR");
    }
    if (mode == SUBMIT) {
        yyjson_mut_obj_add_str(doc, root, "refundOfferId", OFFER);
    }
    if (mode == QUOTE) {
        static const char *const names[] = { "JANE", "JOHN" };
        yyjson_mut_val *list = yyjson_mut_obj_add_arr(doc, root, "refundRequestList");
        int i;
        for (i = 0; i < 2; i++) {
            yyjson_mut_val *passenger = yyjson_mut_arr_add_obj(doc, list);
            yyjson_mut_val *segments;
            yyjson_mut_val *segment;
            yyjson_mut_obj_add_str(doc, passenger, "lastName", "DOE");
            yyjson_mut_obj_add_str(doc, passenger, "firstName", names[i]);
            yyjson_mut_obj_add_str(doc, passenger, "refundReason", "1");
            segments = yyjson_mut_obj_add_arr(doc, passenger, "segments");
            segment = yyjson_mut_arr_add_obj(doc, segments);
            yyjson_mut_obj_add_str(doc, segment, "depDate", "20260401");
            yyjson_mut_obj_add_str(doc, segment, "flightNo", "ZZ123");
            yyjson_mut_obj_add_str(doc, segment, "depAirport", "CNX");
            yyjson_mut_obj_add_str(doc, segment, "arrAirport", "BKK");
        }
    }
    text = yyjson_mut_write(doc, 0, len);
    yyjson_mut_doc_free(doc);
    return text;
}

#endif
