#include "client/audit_export.h"

#include <gtest/gtest.h>

#include <vector>

#include "client/testing/fake_server.h"

namespace interlock::client {
namespace {

class AuditExportTest : public testing::Test {
 protected:
  absl::Status Export() {
    ClientOptions options;
    options.address = server_.address();
    options.deadline = absl::Seconds(20);
    const Client client(options);
    v1::ExportAuditLogRequest request;
    request.set_first_sequence(3);
    return ExportAuditLog(client, request, [this](const v1::ExportAuditLogResponse& piece) {
      for (const v1::AuditRow& row : piece.rows()) rows_.push_back(row.sequence());
      trailers_ += piece.has_trailer() ? 1 : 0;
      return take_result_;
    });
  }

  // Sends two rows, and then the trailer if it should.
  void Serve(bool with_trailer) {
    server_.answers.export_audit_log = [this, with_trailer](grpc::ServerContext&,
                                                            const v1::ExportAuditLogRequest& request,
                                                            grpc::ServerWriter<v1::ExportAuditLogResponse>& writer) {
      for (int i = 0; i < 2; ++i) {
        v1::ExportAuditLogResponse piece;
        piece.add_rows()->set_sequence(request.first_sequence() + i);
        if (i == 1 && with_trailer) piece.mutable_trailer()->set_rows(2);
        writer.Write(piece);
      }
      return end_;
    };
  }

  FakeServer server_;
  grpc::Status end_;
  absl::Status take_result_;
  std::vector<int64_t> rows_;
  int trailers_ = 0;
};

TEST_F(AuditExportTest, PiecesComeInOrderUntilTheTrailer) {
  Serve(true);
  EXPECT_TRUE(Export().ok());
  EXPECT_EQ(rows_, (std::vector<int64_t>{3, 4}));
  EXPECT_EQ(trailers_, 1);
}

TEST_F(AuditExportTest, AnExportWithoutItsTrailerIsAnError) {
  Serve(false);
  EXPECT_EQ(Export().code(), absl::StatusCode::kDataLoss);
}

TEST_F(AuditExportTest, ErrorsOfTheServerAndOfTheTakerEndIt) {
  Serve(true);
  end_ = grpc::Status(grpc::StatusCode::UNAVAILABLE, "stopping");
  EXPECT_EQ(Export().code(), absl::StatusCode::kUnavailable);
  rows_.clear();
  take_result_ = absl::InternalError("the disk is full");
  EXPECT_EQ(Export(), take_result_);
  EXPECT_EQ(rows_.size(), 1u);
}

}  // namespace
}  // namespace interlock::client
