/* curl.h - POST with libcurl's easy interface, on a persistent connection or, for submits, on a new one. */
#ifndef CURL_POST_H
#define CURL_POST_H

#include "bench.h"
#include <curl/curl.h>

static CURL *easy;

struct buffer {
    char *data;
    size_t len;
    size_t room;
};

static struct buffer answer;

static size_t receive(char *data, size_t one, size_t count, void *into)
{
    struct buffer *b = (struct buffer *)into;
    const size_t size = one * count;
    if (b->len + size + 1 > b->room) {
        char *grown;
        b->room = (b->len + size + 1) * 2;
        grown = (char *)realloc(b->data, b->room);
        if (grown == NULL) {
            return 0;
        }
        b->data = grown;
    }
    memcpy(b->data + b->len, data, size);
    b->len += size;
    b->data[b->len] = '\0';
    return size;
}

static void open_client(const char *base_url, enum mode mode)
{
    static char url[300];
    struct curl_slist *headers = NULL;

    curl_global_init(CURL_GLOBAL_ALL);
    easy = curl_easy_init();
    sprintf(url, "%.200s%s", base_url, paths[mode]);
    headers = curl_slist_append(headers, "accept: application/json");
    headers = curl_slist_append(headers, "content-type: application/json");
    headers = curl_slist_append(headers, "user-agent: bench/1");
    headers = curl_slist_append(headers, "x-atlas-client-id: " CLIENT_ID);
    headers = curl_slist_append(headers, "x-atlas-client-secret: " CLIENT_SECRET);
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, receive);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &answer);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, 30000L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    if (mode == SUBMIT) {
        curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
        curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    }
}

static void post(const char *body, size_t len)
{
    long status = 0;

    answer.len = 0;
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)len);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
    if (curl_easy_perform(easy) != CURLE_OK) {
        fail("curl_easy_perform");
    }
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    if (status != 200) {
        fail("HTTP status");
    }
}

#endif
