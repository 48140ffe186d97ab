#include "report/report.h"

#include <gtest/gtest.h>

#include "report/predictions.h"
#include "report/status.h"

namespace armada {
namespace {

JobReport Digits() {
  JobReport report;
  report.name = "digits";
  report.folder = "/data/digits.armada";
  report.precision = "f32";
  report.engine = "OpenVINO";
  report.audit.complete = report.audit.done = true;
  report.audit.records = 1'000'000;
  report.audit.objects = 12;
  report.audit.bytes = 3 << 20;
  report.work.workers = 3;
  report.work.machines = 1;
  report.work.machine_ms = 36'000;
  return report;
}

TEST(JobReport, SaysWhatIsThereAndWhatItTook) {
  EXPECT_EQ(Digits().Render(80),
            "digits: complete, one answer a record\n"
            "\n"
            "records   1,000,000, none dead\n"
            "output    12 Parquet files, 3.0 MiB, in /data/digits.armada/out\n"
            "engine    OpenVINO, f32\n"
            "time      36.0s of 3 workers on 1 machine\n");
}

TEST(JobReport, APrecisionBelowF32IsHeldBesideIt) {
  JobReport report = Digits();
  report.precision = "bf16";
  report.agreement = Agreement{.records = 64, .max_abs_diff = 0.0035, .top1 = 0.984375};
  EXPECT_NE(
      report.Render(80).find("engine    OpenVINO, bf16\n"
                             "          beside f32, on the first 64 records: largest difference "
                             "0.0035, same best class 98.44 %\n"),
      std::string::npos)
      << report.Render(80);
  EXPECT_EQ(report.ToJson().at("agreement").at("records"), 64);
}

TEST(JobReport, ParityIsALineOfItsOwn) {
  JobReport report = Digits();
  report.parity = Agreement{.records = 200, .max_abs_diff = 0.0004, .top1 = 1};
  EXPECT_NE(report.Render(80).find("engine    OpenVINO, f32\n"
                                   "parity    200 records: largest difference 0.0004, same best "
                                   "class 100.00 %\n"),
            std::string::npos)
      << report.Render(80);
  EXPECT_EQ(report.ToJson().at("parity").at("top1"), 1);
  EXPECT_FALSE(Digits().ToJson().contains("parity"));
}

TEST(JobReport, ARunAddsWhatItMeasured) {
  JobReport report = Digits();
  report.run = RunMeasure{.workers = 1,
                          .elapsed_ms = 5'000,
                          .first_prediction_ms = 1'000,
                          .records = 1'000'000,
                          .records_before = 0,
                          .cpu_ms = 9'000,
                          .peak_bytes = 200 << 20,
                          .restarts = 0};
  EXPECT_NE(report.Render(80).find(
                "time      5.0s from start to end, 200,000/s; 250,000/s once started\n"
                "          first prediction after 1.0s; 1 worker, peak memory 200.0 MiB\n"),
            std::string::npos)
      << report.Render(80);
}

TEST(JobReport, DollarsAreMachineTimeTimesAPriceThatTheUserGave) {
  JobReport report = Digits();
  EXPECT_FALSE(report.UsdPerMillion().has_value());
  EXPECT_FALSE(report.ToJson().contains("usd_per_million"));
  report.price_per_hour_usd = 0.5;
  EXPECT_DOUBLE_EQ(report.UsdPerMillion().value(), 0.005);  // 36 s are a hundredth of an hour
  // A run that did all of it knows its own time from the very start.
  report.run = RunMeasure();
  report.run->elapsed_ms = 72'000;
  report.run->records = 1'000'000;
  EXPECT_DOUBLE_EQ(report.UsdPerMillion().value(), 0.01);
  // One that went on with another's work has to count the other's time too.
  report.run->records_before = 10;
  EXPECT_DOUBLE_EQ(report.UsdPerMillion().value(), 0.005);
}

TEST(JobReport, FaultsAreShownAndCannotDriveATerminal) {
  JobReport report = Digits();
  report.audit.done = report.audit.complete = false;
  report.audit.faults = {"out/\x1b[2J is foreign"};
  const std::string text = report.Render(80);
  EXPECT_NE(text.find("digits: not complete"), std::string::npos);
  EXPECT_NE(text.find("fault     out/\\x1b[2J is foreign"), std::string::npos);
}

TEST(JobStatus, APausedJobSaysWhy) {
  JobStatus status;
  status.name = "digits";
  status.folder = "/data/digits.armada";
  status.state = "paused";
  status.control.paused = true;
  status.control.pause.reason = "half of it is dead";
  status.records = 1'500;
  status.records_total = 3'000;
  status.planned = true;
  status.shards = 6;
  status.complete_shards = 3;
  status.last_utc_ms = 1'000;
  EXPECT_EQ(status.Render(61'000),
            "digits: paused\n"
            "reason    half of it is dead\n"
            "records   1,500 of 3,000 (50%) committed\n"
            "shards    3 of 6 complete\n"
            "workers   none now; the last was seen 1m 00s ago\n"
            "folder    /data/digits.armada\n");
  status.planned = false;
  EXPECT_NE(status.Render(61'000).find("3 of 6 complete; not all are planned yet\n"),
            std::string::npos);
}

TEST(FileOfId, IsThePartBeforeThePosition) {
  EXPECT_EQ(FileOfId("a/b.idx#17"), "a/b.idx");
  EXPECT_EQ(FileOfId("a#b#3"), "a#b");
  EXPECT_EQ(FileOfId("row-17"), "");
  EXPECT_EQ(FileOfId("x#"), "");
  EXPECT_EQ(FileOfId("x#1a"), "");
}

}  // namespace
}  // namespace armada
