/* libcurl and yyjson: the request is built, the whole reply parsed, its status checked. */
#include "curl.h"
#include "request.h"

static void one_call(enum mode mode)
{
    size_t len = 0;
    char *body = build_request(mode, &len);
    yyjson_doc *doc;
    yyjson_val *status;

    post(body, len);
    free(body);
    doc = yyjson_read(answer.data, answer.len, 0);
    status = yyjson_obj_get(yyjson_doc_get_root(doc), "status");
    if (!yyjson_is_int(status) || yyjson_get_int(status) != 0) {
        fail("status");
    }
    yyjson_doc_free(doc);
}
