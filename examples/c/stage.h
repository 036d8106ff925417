/*
 * stage.h - the world outside of the program. In an example, nobody wants to wait 21 days for a
 * refund: this moves the clock of the simulated Atlas. It is not part of the API; in a real program,
 * stage_wait() is your scheduler, which lets hours pass until the next query.
 */
#ifndef STAGE_H
#define STAGE_H

#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

/* Lets so many minutes pass. 0 if they did. `base_url` is http://HOST:PORT. */
static int stage_wait(const char *base_url, long minutes)
{
    char host[256] = "";
    char port[16] = "";
    char text[512];
    char answer[64] = "";
    struct addrinfo hints;
    struct addrinfo *found = NULL;
    int line = -1;
    int good = 0;
    int length;

    if (sscanf(base_url, "http://%255[^:/]:%15[0-9]", host, port) != 2) {
        return -1;
    }
    memset(&hints, 0, sizeof hints);
    hints.ai_socktype = SOCK_STREAM;
    if (getaddrinfo(host, port, &hints, &found) != 0) {
        return -1;
    }
    line = socket(found->ai_family, found->ai_socktype, found->ai_protocol);
    if (line >= 0 && connect(line, found->ai_addr, found->ai_addrlen) == 0) {
        char body[64];
        sprintf(body, "{\"advance\":\"%ldm\"}", minutes);
        length = sprintf(text,
                         "POST /_sim/clock HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n"
                         "Content-Type: application/json\r\nContent-Length: %lu\r\n\r\n%s",
                         host, (unsigned long)strlen(body), body);
        good = send(line, text, (size_t)length, 0) == length && recv(line, answer, sizeof answer - 1, 0) > 0 &&
               strstr(answer, " 200") != NULL;
    }
    if (line >= 0) {
        close(line);
    }
    freeaddrinfo(found);
    return good ? 0 : -1;
}

#endif
