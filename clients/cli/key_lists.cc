#include "clients/cli/key_lists.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/v1.h"

namespace intercom_extractor {

DeletedFrom HowDeletedAreFound(const v1::Table& table) {
  if (table.incremental() == v1::INCREMENTAL_WHOLE) return DeletedFrom::kKeys;
  if (table.incremental() != v1::INCREMENTAL_UPDATED_AT) return DeletedFrom::kNowhere;
  // Of contacts, Intercom only tells which there are.
  return table.role() != v1::CONTACT_ROLE_UNSPECIFIED ? DeletedFrom::kKeys : DeletedFrom::kIntercom;
}

std::string KeyLists::NameOf(const std::string& table) {
  return absl::StrCat(table, kKeyListExtension);
}

absl::Status KeyLists::Add(const std::vector<v1::TableDescription>& tables) {
  for (const v1::TableDescription& table : tables) {
    const DeletedFrom kind = HowDeletedAreFound(table.table());
    if (kind == DeletedFrom::kNowhere) continue;
    if (kind == DeletedFrom::kIntercom && !find_deleted_) continue;
    auto keys = RecordKeys::Resolve(table);
    if (!keys.ok()) return keys.status();
    const std::string& name = table.table().name();
    lists_.push_back({name, kind, *std::move(keys),
                      std::make_unique<RestartableFile>(directory_, NameOf(name), /*gzip=*/false)});
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<KeyLists>> KeyLists::Begin(
    OutputDirectory* directory, const std::vector<v1::TableDescription>& tables,
    bool find_deleted) {
  std::unique_ptr<KeyLists> lists(new KeyLists(directory, find_deleted));
  absl::Status status = lists->Add(tables);
  for (const List& list : lists->lists_) {
    if (status.ok()) status = list.file->Create();
  }
  if (status.ok()) return lists;
  lists->Abandon();
  return status;
}

absl::StatusOr<std::unique_ptr<KeyLists>> KeyLists::Continue(
    OutputDirectory* directory, const std::vector<v1::TableDescription>& tables, bool find_deleted,
    const std::vector<TableMark>& marks) {
  std::unique_ptr<KeyLists> lists(new KeyLists(directory, find_deleted));
  absl::Status status = lists->Add(tables);
  if (status.ok()) status = lists->RollBack(marks);
  if (!status.ok()) return status;
  // A list that lacks what the version of the program before this one has read
  // would have records deleted, or not, that are not listed.
  auto& all = lists->lists_;
  all.erase(std::remove_if(all.begin(), all.end(),
                           [](const List& list) { return list.file->file() == nullptr; }),
            all.end());
  return lists;
}

KeyLists::List* KeyLists::Find(const std::string& table, DeletedFrom kind) {
  for (List& list : lists_) {
    if (list.table == table && list.kind == kind) return &list;
  }
  return nullptr;
}

bool KeyLists::Has(const std::string& table) const {
  return std::any_of(lists_.begin(), lists_.end(),
                     [&table](const List& list) { return list.table == table; });
}

absl::Status KeyLists::Append(const KeyValues& values, List* list) {
  if (values.empty()) return absl::OkStatus();
  absl::StrAppend(list->file->file()->buffer(), JoinKeyLine(values), "\n");
  return list->file->file()->WriteIfFull();
}

absl::Status KeyLists::OnRows(const std::string& table, const SerializedRows& rows) {
  List* list = Find(table, DeletedFrom::kKeys);
  if (list == nullptr) return absl::OkStatus();
  for (const absl::string_view row : rows) {
    if (absl::Status status = Append(list->keys.Of(row), list); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status KeyLists::OnLiving(const v1::LivingRecords& living) {
  List* list = find_deleted_ ? Find(living.table(), DeletedFrom::kKeys) : nullptr;
  if (list == nullptr) return absl::OkStatus();
  for (const std::string& id : living.ids()) {
    if (absl::Status status = Append({id}, list); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status KeyLists::OnDeleted(const v1::DeletedRecords& deleted) {
  List* list = Find(deleted.table(), DeletedFrom::kIntercom);
  if (list == nullptr) return absl::OkStatus();
  for (const v1::DeletedRecords::Record& record : deleted.records()) {
    std::optional<std::string> deleted_at;
    if (record.has_deleted_at()) deleted_at = absl::StrCat(record.deleted_at());
    if (absl::Status status = Append({record.id(), deleted_at}, list); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status KeyLists::Restart(const std::string& table, uint32_t generation) {
  List* list = Find(table, DeletedFrom::kKeys);
  return list == nullptr ? absl::OkStatus() : list->file->Restart(generation);
}

absl::Status KeyLists::Mark(std::vector<TableMark>* marks) {
  for (const List& list : lists_) {
    if (absl::Status status = list.file->file()->EndPiece(); !status.ok()) return status;
    for (TableMark& mark : *marks) {
      if (mark.table == list.table) mark.key_bytes = list.file->file()->bytes_written();
    }
  }
  return absl::OkStatus();
}

absl::Status KeyLists::Sync() {
  bool names_changed = false;
  for (const List& list : lists_) {
    if (absl::Status status = list.file->Sync(&names_changed); !status.ok()) return status;
  }
  return names_changed ? directory_->SyncPartial() : absl::OkStatus();
}

absl::Status KeyLists::OnSaved() {
  state_saved_ = true;
  for (const List& list : lists_) {
    if (absl::Status status = list.file->OnSaved(); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status KeyLists::RollBack(const std::vector<TableMark>& marks) {
  state_saved_ = true;
  for (const TableMark& mark : marks) {
    for (const List& list : lists_) {
      if (list.table != mark.table || !mark.key_bytes.has_value()) continue;
      // Deleted records have no generations.
      const uint32_t generation = list.kind == DeletedFrom::kKeys ? mark.generation : 1;
      absl::Status status = list.file->OpenAt(*mark.key_bytes, generation);
      if (!status.ok()) return status;
    }
  }
  return absl::OkStatus();
}

absl::Status KeyLists::Close() {
  for (const List& list : lists_) {
    if (absl::Status status = list.file->file()->Close(); !status.ok()) return status;
  }
  return absl::OkStatus();
}

void KeyLists::Abandon() {
  for (const List& list : lists_) {
    if (list.file->file() == nullptr) continue;
    list.file->file()->Close().IgnoreError();
    list.file->Drop();
  }
  if (!state_saved_) directory_->RemoveWorkFiles().IgnoreError();
}

}  // namespace intercom_extractor
