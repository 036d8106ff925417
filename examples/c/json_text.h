/*
 * json_text.h - reads one value of a JSON text by its path, "data.voidTickets.0.name".
 *
 * Enough for an example, because the replies of the library are always well-formed. A real program uses a
 * JSON library.
 */
#ifndef JSON_TEXT_H
#define JSON_TEXT_H

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *json_skip_space(const char *at)
{
    while (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r') {
        at++;
    }
    return at;
}

/* The position after the string that starts at `at`. */
static const char *json_skip_string(const char *at)
{
    for (at++; *at != '\0' && *at != '"'; at++) {
        if (*at == '\\' && at[1] != '\0') {
            at++;
        }
    }
    return *at == '"' ? at + 1 : at;
}

/* The position after the value that starts at `at`. */
static const char *json_skip_value(const char *at)
{
    int depth = 0;
    do {
        if (*at == '"') {
            at = json_skip_string(at);
            continue;
        }
        if (*at == '{' || *at == '[') {
            depth++;
        } else if (*at == '}' || *at == ']') {
            depth--;
            if (depth <= 0) {
                return depth < 0 ? at : at + 1;
            }
        } else if (depth == 0 && (*at == ',' || *at == '\0')) {
            return at;
        }
        at++;
    } while (*at != '\0' && (depth > 0 || (*at != ',' && *at != '}' && *at != ']')));
    return at;
}

/* The JSON text of the value at `path`, and its length; NULL if there is none. */
static const char *json_find(const char *json, const char *path, size_t *len)
{
    const char *at = json_skip_space(json == NULL ? "" : json);
    while (*path != '\0') {
        size_t part = strcspn(path, ".");
        char close = *at == '[' ? ']' : '}';
        long wanted = *at == '[' ? strtol(path, NULL, 10) : -1;
        long index = 0;
        int found = 0;
        if (*at != '{' && *at != '[') {
            return NULL;
        }
        at = json_skip_space(at + 1);
        while (*at != '\0' && *at != close) {
            if (close == '}') {
                const char *end = json_skip_string(at);
                found = (size_t)(end - at) == part + 2 && memcmp(at + 1, path, part) == 0;
                at = json_skip_space(end);
                at = json_skip_space(*at == ':' ? at + 1 : at);
            } else {
                found = index++ == wanted;
            }
            if (found) {
                break;
            }
            at = json_skip_space(json_skip_value(at));
            at = *at == ',' ? json_skip_space(at + 1) : at;
        }
        if (!found) {
            return NULL;
        }
        path += part;
        path += *path == '.' ? 1 : 0;
    }
    *len = (size_t)(json_skip_value(at) - at);
    return at;
}

/*
 * The value at `path` as text: the content of a string, the JSON of another value, "" for null and if there is
 * none. Returns `out`, for use in printf(). A text that does not fit is cut.
 */
static const char *json_text(const char *json, const char *path, char *out, size_t size)
{
    size_t len = 0;
    size_t used = 0;
    size_t i;
    const char *at = json_find(json, path, &len);
    int string = at != NULL && *at == '"' && len >= 2;
    if (at == NULL || (len == 4 && memcmp(at, "null", 4) == 0)) {
        len = 0;
    }
    for (i = string ? 1 : 0; i < (string ? len - 1 : len) && used + 1 < size; i++) {
        /* The library escapes nothing but quotes, backslashes and control characters. */
        if (string && at[i] == '\\') {
            i++;
            out[used++] = at[i] == 'n' ? '\n' : at[i] == 't' ? '\t' : at[i];
        } else {
            out[used++] = at[i];
        }
    }
    out[used] = '\0';
    return out;
}

#endif
