// A receiver of notifications: one HTTP/1.1 server socket, one request at a time. Enough for the
// few notifications that Atlas sends, and for an example; in front of the internet stands a real web
// server, which forwards this one path.
#ifndef RECEIVER_HPP
#define RECEIVER_HPP

#include <cctype>
#include <cstdlib>
#include <random>
#include <string>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

class Receiver {
public:
    Receiver() : listener_(socket(AF_INET, SOCK_STREAM, 0)), caller_(-1)
    {
        sockaddr_in here = sockaddr_in();
        here.sin_family = AF_INET;
        here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof here;
        sockaddr *const address = reinterpret_cast<sockaddr *>(&here);
        if (bind(listener_, address, size) != 0 || listen(listener_, 16) != 0 || getsockname(listener_, address, &size) != 0) {
            std::abort();
        }
        // Nothing signs a notification. An address that nobody can guess keeps most of the others away.
        path_ = "/atlas/" + std::to_string(std::random_device()()) + std::to_string(std::random_device()());
        url_ = "http://127.0.0.1:" + std::to_string(ntohs(here.sin_port)) + path_;
    }
    ~Receiver()
    {
        hang_up();
        close(listener_);
    }
    Receiver(const Receiver &) = delete;
    Receiver &operator=(const Receiver &) = delete;

    const std::string &url() const { return url_; }

    // Waits for a notification; its body, or false after so long without one. Answer it then.
    bool next(std::string &body, int patience_ms)
    {
        pollfd line = {listener_, POLLIN, 0};
        while (poll(&line, 1, patience_ms) > 0) {
            hang_up();
            caller_ = accept(listener_, nullptr, nullptr);
            const timeval limit = {2, 0};
            setsockopt(caller_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
            const int status = read_request(body);
            if (status == 200) {
                return true;
            }
            answer(status);
        }
        return false;
    }

    // Answers the notification that next() gave.
    void answer(int status)
    {
        const std::string text =
            "HTTP/1.1 " + std::to_string(status) + " \r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        // A caller that has gone is no reason to die of SIGPIPE.
        if (send(caller_, text.data(), text.size(), MSG_NOSIGNAL) > 0) {
            shutdown(caller_, SHUT_WR);
            char rest[4096];
            // What is still coming is read, else its sender might not see the answer.
            for (int i = 0; i < 1024 && recv(caller_, rest, sizeof rest, 0) > 0; i++) {
            }
        }
        hang_up();
    }

private:
    static const std::size_t largest_head = 16 << 10, largest_body = 1 << 20;

    // Reads head and body; 200, or what is wrong with the request.
    int read_request(std::string &body)
    {
        std::string text;
        std::size_t end;
        while ((end = text.find("\r\n\r\n")) == std::string::npos) {
            if (text.size() > largest_head || !read_more(text)) {
                return 400;
            }
        }
        const std::string head = lower(text.substr(0, end + 2));
        if (head.compare(0, 5, "post ") != 0) {
            return 405;
        }
        if (head.compare(5, path_.size() + 1, path_ + " ") != 0) {
            return 404;
        }
        const std::size_t at = head.find("\r\ncontent-length:");
        if (at == std::string::npos) {
            return 411;
        }
        const unsigned long length = std::strtoul(head.c_str() + at + 17, nullptr, 10);
        if (length > largest_body) {
            return 413;
        }
        body = text.substr(end + 4);
        while (body.size() < length) {
            if (!read_more(body)) {
                return 400;
            }
        }
        body.resize(length);
        return 200;
    }

    bool read_more(std::string &text)
    {
        char some[4096];
        const ssize_t got = recv(caller_, some, sizeof some, 0);
        text.append(some, got > 0 ? static_cast<std::size_t>(got) : 0);
        return got > 0;
    }

    static std::string lower(std::string text)
    {
        for (char &c : text) {
            c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        }
        return text;
    }

    void hang_up()
    {
        if (caller_ >= 0) {
            close(caller_);
        }
        caller_ = -1;
    }

    int listener_;
    int caller_;
    std::string path_;
    std::string url_;
};

#endif
