#include "core/engine/keys.h"

#include "core/base/check.h"

namespace interlock::keys {
namespace {

void AppendString(absl::string_view value, std::string& key) {
  INTERLOCK_CHECK(value.find('\0') == absl::string_view::npos);
  key.append(value.data(), value.size());
  key.push_back('\0');
}

void AppendNumber(int64_t number, std::string& key) {
  INTERLOCK_CHECK(number >= 0);
  for (int shift = 56; shift >= 0; shift -= 8) key.push_back(static_cast<char>((number >> shift) & 0xff));
}

}  // namespace

std::string Singleton() { return std::string(1, '\0'); }

std::string Tenant(absl::string_view tenant_id) {
  std::string key;
  AppendString(tenant_id, key);
  return key;
}

std::string Agent(absl::string_view tenant_id, absl::string_view agent_id) {
  std::string key;
  AppendString(tenant_id, key);
  AppendString(agent_id, key);
  return key;
}

std::string Point(absl::string_view tenant_id, absl::string_view agent_id, v1::Metric metric, int64_t point_id) {
  std::string key = Agent(tenant_id, agent_id);
  key.push_back(static_cast<char>(metric));
  AppendNumber(point_id, key);
  return key;
}

std::string TenantNumber(absl::string_view tenant_id, int64_t number) {
  std::string key = Tenant(tenant_id);
  AppendNumber(number, key);
  return key;
}

std::string Number(int64_t number) {
  std::string key;
  AppendNumber(number, key);
  return key;
}

std::string Lock(v1::LockState state, int64_t number) {
  std::string key = LocksInForce();
  if (state == v1::LOCK_STATE_CLEAR) key.back() = '\1';
  AppendNumber(number, key);
  return key;
}

std::string LocksInForce() { return std::string(1, '\0'); }

std::string ShadowCounts(absl::string_view tenant_id) { return Tenant(tenant_id) + '\1'; }

std::string Checkpoint(absl::string_view tenant_id, int64_t number) {
  std::string key = CheckpointsOf(tenant_id);
  AppendNumber(number, key);
  return key;
}

std::string CheckpointState(absl::string_view tenant_id, int64_t number) {
  std::string key = Checkpoint(tenant_id, number);
  key.front() = '\1';
  return key;
}

std::string Checkpoints() { return std::string(1, '\0'); }

std::string CheckpointsOf(absl::string_view tenant_id) {
  std::string key = Checkpoints();
  AppendString(tenant_id, key);
  return key;
}

std::string Attempt(absl::string_view tenant_id, int64_t task_number, int64_t lease_epoch) {
  std::string key = TenantNumber(tenant_id, task_number);
  AppendNumber(lease_epoch, key);
  return key;
}

std::string Request(absl::string_view tenant_id, absl::string_view method, absl::string_view request_id) {
  std::string key;
  AppendString(tenant_id, key);
  AppendString(method, key);
  AppendString(request_id, key);
  return key;
}

std::string PrefixEnd(absl::string_view prefix) {
  std::string end(prefix);
  while (!end.empty()) {
    const auto last = static_cast<unsigned char>(end.back());
    if (last != 0xff) {
      end.back() = static_cast<char>(last + 1);
      return end;
    }
    end.pop_back();
  }
  return end;
}

absl::string_view FirstString(absl::string_view key) { return key.substr(0, key.find('\0')); }

absl::string_view SecondString(absl::string_view key) {
  const size_t end = key.find('\0');
  return end == absl::string_view::npos ? absl::string_view() : FirstString(key.substr(end + 1));
}

int64_t LastNumber(absl::string_view key) {
  if (key.size() < 8) return -1;
  uint64_t number = 0;
  for (const char c : key.substr(key.size() - 8)) number = (number << 8) | static_cast<unsigned char>(c);
  return static_cast<int64_t>(number);
}

}  // namespace interlock::keys
