// A receiver of notifications: one HTTP/1.1 server socket, one request at a time, which is enough for an
// example. On the internet, put a web server in front of it that forwards this one path.
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
    Receiver() : listener_(socket(AF_INET, SOCK_STREAM, 0)), connection_(-1)
    {
        sockaddr_in here = sockaddr_in();
        here.sin_family = AF_INET;
        here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof here;
        sockaddr *const address = reinterpret_cast<sockaddr *>(&here);
        if (bind(listener_, address, size) != 0 || listen(listener_, 16) != 0 ||
            getsockname(listener_, address, &size) != 0) {
            std::abort();
        }
        // Notifications are unsigned. A path that cannot be guessed keeps most other requests out.
        path_ = "/atlas/" + std::to_string(std::random_device()()) + std::to_string(std::random_device()());
        url_ = "http://127.0.0.1:" + std::to_string(ntohs(here.sin_port)) + path_;
    }
    ~Receiver()
    {
        close_connection();
        close(listener_);
    }
    Receiver(const Receiver &) = delete;
    Receiver &operator=(const Receiver &) = delete;

    const std::string &url() const { return url_; }

    // Waits for a notification; false if none comes in time. The caller answers it with answer().
    bool next(std::string &body, int timeout_ms)
    {
        pollfd connections = {listener_, POLLIN, 0};
        while (poll(&connections, 1, timeout_ms) > 0) {
            close_connection();
            connection_ = accept(listener_, nullptr, nullptr);
            const timeval limit = {2, 0};
            setsockopt(connection_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
            const int status = read_request(body);
            if (status == 200) {
                return true;
            }
            answer(status);
        }
        return false;
    }

    // Answers the notification that next() returned.
    void answer(int status)
    {
        const std::string text =
            "HTTP/1.1 " + std::to_string(status) + " \r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        // MSG_NOSIGNAL: if the sender has closed, SIGPIPE would end this program.
        if (send(connection_, text.data(), text.size(), MSG_NOSIGNAL) > 0) {
            shutdown(connection_, SHUT_WR);
            char rest[4096];
            // Reads the rest of the request: closing before would reset the connection and lose the answer.
            for (int i = 0; i < 1024 && recv(connection_, rest, sizeof rest, 0) > 0; i++) {
            }
        }
        close_connection();
    }

private:
    static const std::size_t largest_head = 16 << 10, largest_body = 1 << 20;

    // Reads head and body; 200, or the status that refuses the request.
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
        const ssize_t got = recv(connection_, some, sizeof some, 0);
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

    void close_connection()
    {
        if (connection_ >= 0) {
            close(connection_);
        }
        connection_ = -1;
    }

    int listener_;
    int connection_;
    std::string path_;
    std::string url_;
};

#endif
