#include <algorithm>
#include <atomic>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "platform/file.h"
#include "platform/fork.h"
#include "platform/http.h"
#include "platform/loopback_server.h"
#include "platform/process.h"
#include "platform/scratch_folder.h"

namespace armada {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// Answers every request with what it was sent.
void Echo(LoopbackConnection& connection) {
  for (std::string request; !(request = connection.ReadRequest()).empty();)
    connection.Reply(200, request, "X-Kind:  Echo \r\n");
}

// The port of a server that is gone.
std::string UrlOfNobody() { return LoopbackServer(Echo).url(); }

TEST(HttpClient, SendsWhatItIsGivenAndNothingElse) {
  LoopbackServer server(Echo);
  HttpClient client;
  const std::string body("b\0dy", 4);
  const Result<HttpReply> reply =
      client.Send({.method = "PUT",
                   .url = server.url() + "/a//./b/../%2F%c3?z=1&a=%20&empty=&alone&s=a/b",
                   .headers = {{"X-One", "1"}, {"x-empty", ""}},
                   .body = body});
  ASSERT_TRUE(reply.has_value()) << reply.error().message;
  EXPECT_EQ(reply->status, 200);
  EXPECT_EQ(reply->body,
            "PUT /a//./b/../%2F%c3?z=1&a=%20&empty=&alone&s=a/b HTTP/1.1\r\n"
            "Host: " +
                server.url().substr(7) +
                "\r\n"
                "X-One: 1\r\nx-empty:\r\nContent-Length: 4\r\n\r\n" +
                body);
  EXPECT_EQ(reply->Header("x-kind"), "Echo");
  EXPECT_EQ(reply->Header("missing"), "");
}

TEST(HttpClient, EveryMethodHasItsForm) {
  LoopbackServer server([](LoopbackConnection& connection) {
    for (std::string request; !(request = connection.ReadRequest()).empty();)
      connection.Write("HTTP/1.1 200 OK\r\nContent-Length: 4\r\nX-Asked: " +
                       request.substr(0, request.find(' ')) + "\r\n\r\n" +
                       (request.starts_with("HEAD") ? "" : "body"));
  });
  HttpClient client;
  for (const char* method : {"GET", "HEAD", "PUT", "POST", "DELETE"}) {
    const Result<HttpReply> reply = client.Send({.method = method, .url = server.url() + "/"});
    ASSERT_TRUE(reply.has_value()) << method << reply.error().message;
    EXPECT_EQ(reply->Header("x-asked"), method);
    EXPECT_EQ(reply->body, std::string(method) == "HEAD" ? "" : "body");
  }
}

TEST(HttpClient, AnyStatusIsAReplyAndRedirectsAreNotFollowed) {
  LoopbackServer server([](LoopbackConnection& connection) {
    for (std::string request; !(request = connection.ReadRequest()).empty();)
      connection.Reply(std::stoi(request.substr(5)), "", "Location: /200\r\n");
  });
  HttpClient client;
  for (const int status : {200, 204, 301, 307, 404, 412, 500, 503}) {
    const auto reply = client.Send({.url = fmt::format("{}/{}", server.url(), status)});
    ASSERT_TRUE(reply.has_value()) << reply.error().message;
    EXPECT_EQ(reply->status, status);
  }
}

TEST(HttpClient, AConnectionIsUsedAgain) {
  LoopbackServer server(Echo);
  HttpClient client;
  const std::string large(2'000'000, 'x');
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(client.Send({.url = server.url() + "/"}).has_value());
    ASSERT_TRUE(
        client.Send({.method = "PUT", .url = server.url() + "/", .body = large}).has_value());
  }
  EXPECT_EQ(server.connections(), 1);
}

// Two processes on one connection would read each other's replies.
TEST(HttpClient, AForkHasConnectionsOfItsOwn) {
  LoopbackServer server(Echo);
  HttpClient client;
  ASSERT_TRUE(client.Send({.url = server.url() + "/before"}).has_value());
  Fork fork = Fork::Prepare().value();
  const auto end = fork.Run().value();
  if (!end) {
    const auto reply = client.Send({.url = server.url() + "/child"});
    EndProcess(reply && reply->body.starts_with("GET /child ") ? 0 : 1);
  }
  EXPECT_TRUE(end->state.ok()) << end->state.ToString();
  EXPECT_EQ(server.connections(), 2);
  const auto after = client.Send({.url = server.url() + "/after"});
  ASSERT_TRUE(after.has_value()) << after.error().message;
  EXPECT_TRUE(after->body.starts_with("GET /after "));
  EXPECT_EQ(server.connections(), 2);
}

TEST(HttpClient, NoMoreConnectionsThanAllowed) {
  std::atomic<int> now{0}, most{0};
  LoopbackServer server([&](LoopbackConnection& connection) {
    for (std::string request; !(request = connection.ReadRequest()).empty();) {
      const int busy = ++now;
      for (int seen = most; seen < busy && !most.compare_exchange_weak(seen, busy);) {
      }
      --now;
      connection.Reply(200, "");
    }
  });
  HttpClient client({.max_connections = 3});
  std::atomic<int> answered{0};
  {
    std::vector<Thread> threads;
    for (int t = 0; t < 12; ++t)
      threads.emplace_back([&] {
        for (int i = 0; i < 20; ++i)
          if (client.Send({.url = server.url() + "/"})) ++answered;
      });
  }
  EXPECT_EQ(answered, 12 * 20);
  EXPECT_LE(server.connections(), 3);
  EXPECT_LE(most, 3);
}

TEST(HttpClient, WithoutAConnectionItWasCertainlyNotReceived) {
  HttpClient client;
  for (const std::string& url :
       {UrlOfNobody() + "/k?secret=1", std::string("http://a.invalid/k")}) {
    const Result<HttpReply> reply = client.Send({.method = "PUT", .url = url, .body = "b"});
    ASSERT_FALSE(reply.has_value());
    EXPECT_EQ(reply.error().code, ErrorCode::kUnavailable) << reply.error().message;
    EXPECT_THAT(reply.error().message, StartsWith("PUT http://"));
    EXPECT_THAT(reply.error().message, Not(HasSubstr("secret")));
  }
}

TEST(HttpClient, AServerThatDoesNotSpeakTlsReceivedNothing) {
  LoopbackServer server([](LoopbackConnection& connection) { connection.Write("hello\r\n"); });
  HttpClient client;
  const auto reply = client.Send({.url = "https" + server.url().substr(4) + "/"});
  ASSERT_FALSE(reply.has_value());
  EXPECT_EQ(reply.error().code, ErrorCode::kUnavailable) << reply.error().message;
}

// What a server does with a request that it has read, in ways that leave the client without a whole
// reply.
using Mischief = std::pair<std::string, std::function<void(LoopbackConnection&)>>;
class HttpLosesReplies : public testing::TestWithParam<Mischief> {};

TEST_P(HttpLosesReplies, TheOutcomeIsUnknownAndTheConnectionIsNotUsedAgain) {
  std::atomic<int> requests{0};
  LoopbackServer server([&](LoopbackConnection& connection) {
    for (std::string request; !(request = connection.ReadRequest()).empty();) {
      ++requests;
      if (request.contains("/bad")) return GetParam().second(connection);
      connection.Reply(200, request.substr(0, 10));
    }
  });
  HttpClient client;
  // On a fresh connection, then on one that is kept.
  for (const std::string& body : {std::string("body"), std::string()}) {
    const int before = requests, connections = server.connections();
    const auto bad = client.Send({.method = "PUT",
                                  .url = server.url() + "/bad",
                                  .body = body,
                                  .timeout_ms = GetParam().first == "silent" ? 300 : 60'000});
    ASSERT_FALSE(bad.has_value());
    EXPECT_EQ(bad.error().code, ErrorCode::kUnknownOutcome) << bad.error().message;
    EXPECT_EQ(requests, before + 1);  // never sent twice
    const auto good = client.Send({.method = "PUT", .url = server.url() + "/good", .body = "x"});
    ASSERT_TRUE(good.has_value()) << good.error().message;
    EXPECT_EQ(good->body, "PUT /good ");
    EXPECT_GE(server.connections(), connections + 1);
  }
}

INSTANTIATE_TEST_SUITE_P(
    , HttpLosesReplies,
    testing::Values(
        Mischief("closes", [](LoopbackConnection&) {}),
        Mischief("half_a_head", [](LoopbackConnection& c) { c.Write("HTTP/1.1 200 OK\r\nCon"); }),
        Mischief("half_a_body",
                 [](LoopbackConnection& c) {
                   c.Write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
                 }),
        Mischief("body_without_length",
                 [](LoopbackConnection& c) { c.Write("HTTP/1.1 200 OK\r\n\r\nhow much more?"); }),
        Mischief("no_http", [](LoopbackConnection& c) { c.Write("SSH-2.0-OpenSSH\r\n\r\n"); }),
        // Answers too late: this reply must not be taken for that of the next request.
        Mischief("silent",
                 [](LoopbackConnection& c) {
                   (void)c.ReadRequest();
                   c.Reply(200, "late");
                 })),
    [](const auto& test) { return test.param.first; });

TEST(HttpClient, AKeptConnectionThatTurnsOutClosedIsNoFailureOfARead) {
  std::atomic<int> requests{0};
  LoopbackServer server([&](LoopbackConnection& connection) {
    if (!connection.ReadRequest().empty()) connection.Reply(200, "first");
    if (!connection.ReadRequest().empty()) ++requests;  // and closes without an answer
  });
  HttpClient client;
  ASSERT_EQ(client.Send({.url = server.url() + "/"})->body, "first");
  EXPECT_EQ(client.Send({.url = server.url() + "/"})->body, "first");
  EXPECT_EQ(server.connections(), 2);
  EXPECT_EQ(requests, 1);
}

TEST(HttpClient, RepliesAreBounded) {
  LoopbackServer server([](LoopbackConnection& connection) {
    for (std::string request; !(request = connection.ReadRequest()).empty();)
      connection.Reply(200, std::string(1000, 'x'),
                       request.contains("/head") ? "X: " + std::string(90'000, 'h') +
                                                       "\r\nY: " + std::string(90'000, 'h') +
                                                       "\r\nZ: " + std::string(90'000, 'h') + "\r\n"
                                                 : "");
  });
  HttpClient client;
  EXPECT_EQ(client.Send({.url = server.url() + "/", .max_reply_bytes = 1000})->body.size(), 1000u);
  for (const HttpRequest& request : {HttpRequest{.url = server.url() + "/", .max_reply_bytes = 999},
                                     HttpRequest{.url = server.url() + "/head"}}) {
    const auto reply = client.Send(request);
    ASSERT_FALSE(reply.has_value());
    EXPECT_EQ(reply.error().code, ErrorCode::kLimit) << reply.error().message;
  }
}

TEST(HttpClient, InterimRepliesAreNotTheReply) {
  LoopbackServer server([](LoopbackConnection& connection) {
    (void)connection.ReadRequest();
    connection.Write("HTTP/1.1 103 Early\r\nX-A: early\r\n\r\n");
    connection.Reply(200, "then", "X-B: late\r\n");
  });
  HttpClient client;
  const auto reply = client.Send({.url = server.url() + "/"});
  ASSERT_TRUE(reply.has_value()) << reply.error().message;
  EXPECT_EQ(reply->body, "then");
  EXPECT_EQ(reply->Header("x-a"), "");
  EXPECT_EQ(reply->Header("x-b"), "late");
}

TEST(HttpClient, WhatIsNoRequestIsRefused) {
  HttpClient client;
  for (const HttpRequest& request :
       {HttpRequest{.url = "ftp://host/"}, HttpRequest{.url = "/path"}, HttpRequest{.url = ""},
        HttpRequest{.method = "BREW", .url = "http://127.0.0.1/"},
        HttpRequest{.url = "http://127.0.0.1/\r\nX: 1"},
        HttpRequest{.url = "http://127.0.0.1/", .headers = {{"X", "1\r\nY: 2"}}},
        HttpRequest{.url = "http://127.0.0.1/", .headers = {{"X: 1\nY", "2"}}},
        HttpRequest{.url = "http://127.0.0.1:99999999/"}}) {
    const auto reply = client.Send(request);
    ASSERT_FALSE(reply.has_value()) << request.url;
    EXPECT_EQ(reply.error().code, ErrorCode::kInvalid) << reply.error().message;
  }
}

TEST(HttpClient, ACaFileThatIsNoneIsSaid) {
  ScratchFolder folder;
  ASSERT_TRUE(ReplaceFile(folder / "ca.pem", "no certificate").has_value());
  LoopbackServer server(Echo);
  for (const std::string& file : {folder / "ca.pem", folder / "missing.pem"}) {
    HttpClient client({.ca_file = file});
    const auto reply = client.Send({.url = "https" + server.url().substr(4) + "/"});
    ASSERT_FALSE(reply.has_value());
    EXPECT_EQ(reply.error().code, ErrorCode::kInvalid) << reply.error().message;
    EXPECT_THAT(reply.error().message, HasSubstr(file));
  }
}

TEST(PercentEncode, LeavesWhatRfc3986Does) {
  EXPECT_EQ(PercentEncode("a b/ü"), "a%20b%2F%C3%BC");
  EXPECT_EQ(PercentEncode("a b/ü", true), "a%20b/%C3%BC");
  EXPECT_EQ(PercentEncode("AZaz09-._~"), "AZaz09-._~");
  EXPECT_EQ(PercentEncode(std::string("+=%\0\xff", 5)), "%2B%3D%25%00%FF");
  EXPECT_EQ(PercentDecode("a%20b%2f%C3%BC"), "a b/ü");
  EXPECT_EQ(PercentDecode("%%4%zz+%4"), "%%4%zz+%4");
}

TEST(HttpDate, IsReadInTheFormOfReplies) {
  EXPECT_EQ(ParseHttpDate("Thu, 01 Jan 1970 00:00:01 GMT"), 1000);
  EXPECT_EQ(ParseHttpDate("Fri, 24 May 2013 00:00:00 GMT"), 1369353600000);
  EXPECT_EQ(ParseHttpDate("soon"), std::nullopt);
  EXPECT_EQ(ParseHttpDate(""), std::nullopt);
}

}  // namespace
}  // namespace armada
