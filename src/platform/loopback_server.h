// A TCP server on 127.0.0.1 whose behaviour is a function: what HTTP clients are tested against.
// Tests only.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/check.h"
#include "platform/thread.h"

namespace armada {

// One accepted connection; closed when the server's function returns.
class LoopbackConnection {
 public:
  explicit LoopbackConnection(int fd) : fd_(fd) {}

  // The next request, head and body (by Content-Length); "" when the client has closed.
  std::string ReadRequest() {
    while (true) {
      const size_t end = received_.find("\r\n\r\n");
      if (end != received_.npos) {
        const size_t at = received_.find("Content-Length: ");
        const size_t body = at < end ? std::stoul(received_.substr(at + 16)) : 0;
        if (received_.size() >= end + 4 + body) {
          std::string request = received_.substr(0, end + 4 + body);
          received_.erase(0, request.size());
          return request;
        }
      }
      char buffer[65536];
      const ssize_t got = recv(fd_, buffer, sizeof buffer, 0);
      if (got <= 0) return "";
      received_.append(buffer, static_cast<size_t>(got));
    }
  }

  void Write(const std::string& bytes) {
    size_t sent = 0;
    while (sent < bytes.size()) {
      const ssize_t n = send(fd_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (n <= 0) return;
      sent += static_cast<size_t>(n);
    }
  }

  // A reply with its length; `headers` are whole lines.
  void Reply(int status, const std::string& body, const std::string& headers = "") {
    Write(fmt::format("HTTP/1.1 {} Said\r\nContent-Length: {}\r\n{}\r\n{}", status, body.size(),
                      headers, body));
  }

 private:
  const int fd_;
  std::string received_;
};

class LoopbackServer {
 public:
  // `serve` is called for every connection, each in a thread of its own.
  explicit LoopbackServer(std::function<void(LoopbackConnection&)> serve)
      : serve_(std::move(serve)) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{.sin_family = AF_INET, .sin_port = 0, .sin_addr = {}, .sin_zero = {}};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    CHECK(bind(listener_, any, length) == 0 && listen(listener_, 64) == 0);
    CHECK(getsockname(listener_, any, &length) == 0);
    port_ = ntohs(address.sin_port);
    acceptor_ = Thread([this] { Accept(); });
  }

  // Ends connections under way, too: their reads fail.
  ~LoopbackServer() {
    shutdown(listener_, SHUT_RDWR);
    acceptor_.Join();
    {
      MutexLock lock(mutex_);
      for (const int fd : open_) shutdown(fd, SHUT_RDWR);
    }
    servants_.clear();
    close(listener_);
  }

  std::string url() const { return fmt::format("http://127.0.0.1:{}", port_); }
  int connections() const { return connections_; }

 private:
  void Accept() {
    while (true) {
      const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      ++connections_;
      {
        MutexLock lock(mutex_);
        open_.push_back(fd);
      }
      servants_.emplace_back([this, fd] {
        LoopbackConnection connection(fd);
        serve_(connection);
        MutexLock lock(mutex_);
        std::erase(open_, fd);
        close(fd);
      });
    }
  }

  const std::function<void(LoopbackConnection&)> serve_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<int> connections_{0};
  Mutex mutex_;
  std::vector<int> open_;
  std::vector<Thread> servants_;
  Thread acceptor_;
};

}  // namespace armada
