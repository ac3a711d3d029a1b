/* record: small named values with versions: compare and swap. */
#include "plugins/sqlite/act.h"

static void bind_name(struct db_row *row, koine_str space, koine_str key)
{
    db_text(row, space);
    db_text(row, key);
}

static bool copy(struct job *job, struct db_row *row, koine_store_record *ret)
{
    *ret = (koine_store_record){.size = (uint32_t)sizeof(*ret), .version = db_get_int(row, 2)};
    return arena_text(&job->arena, db_get_text(row, 0), &ret->key) &&
           arena_text(&job->arena, db_get_text(row, 1), &ret->value);
}

int32_t record_get(struct act *act, struct job *job)
{
    koine_store_record *record = arena_alloc(&job->arena, sizeof(*record));
    const koine_store_record **list = arena_alloc(&job->arena, sizeof(const koine_store_record *));
    if (!record || !list)
        return act_no_memory(act);
    struct db_row *row = db_take(act->db, RECORD_GET);
    bind_name(row, job->body.named.space, job->body.named.key);
    if (!db_next(row)) {
        job_say(job, KOINE_STORE_NOT_FOUND, "there is no such record");
        return db_status(act->db);
    }
    if (!copy(job, row, record))
        act_no_memory(act);
    db_end(row);
    list[0] = record;
    job->done.records = list;
    job->done.record_count = 1;
    job->done.version = record->version;
    return db_status(act->db);
}

static int64_t version_of(struct act *act, const koine_store_put *put)
{
    struct db_row *row = db_take(act->db, RECORD_GET);
    bind_name(row, put->space, put->key);
    int64_t version = db_next(row) ? db_get_int(row, 2) : 0;
    db_end(row);
    return version;
}

/* True: the record is of the version that was expected; else the completion says what is there. */
static bool is_expected(struct act *act, struct job *job, int64_t *ret_version)
{
    *ret_version = version_of(act, &job->body.put);
    if (db_status(act->db) < 0)
        return false;
    if (job->body.put.expected == -1 || job->body.put.expected == *ret_version)
        return true;
    job->done.version = *ret_version;
    job_say(job, KOINE_STORE_CONFLICT, "the record has another version");
    return false;
}

int32_t record_put(struct act *act, struct job *job)
{
    const koine_store_put *put = &job->body.put;
    int64_t version;
    if (!is_expected(act, job, &version))
        return db_status(act->db);
    version = act_counter(act, "record") + 1;
    act_set_counter(act, "record", version);
    struct db_row *row = db_take(act->db, RECORD_PUT);
    bind_name(row, put->space, put->key);
    db_bytes(row, put->value.ptr, put->value.len);
    db_int(row, version);
    db_do(row);
    job->done.version = version;
    return db_status(act->db);
}

int32_t record_delete(struct act *act, struct job *job)
{
    const koine_store_put *put = &job->body.put;
    int64_t version;
    if (!is_expected(act, job, &version))
        return db_status(act->db);
    if (version == 0) {
        job_say(job, KOINE_STORE_NOT_FOUND, "there is no such record");
        return db_status(act->db);
    }
    struct db_row *row = db_take(act->db, RECORD_DELETE);
    bind_name(row, put->space, put->key);
    db_do(row);
    return db_status(act->db);
}

int32_t record_list(struct act *act, struct job *job)
{
    const koine_store_list *list = &job->body.list;
    koine_store_record *records = arena_array(&job->arena, list->most, sizeof(*records));
    const koine_store_record **pointers = arena_array(&job->arena, list->most, sizeof(*pointers));
    uint32_t count = 0;
    if (!records || !pointers)
        return act_no_memory(act);
    struct db_row *row = db_take(act->db, RECORD_LIST);
    bind_name(row, list->space, list->after);
    db_int(row, list->most);
    while (db_next(row)) {
        if (!copy(job, row, &records[count]))
            act_no_memory(act);
        pointers[count] = &records[count];
        count++;
    }
    db_end(row);
    job->done.records = pointers;
    job->done.record_count = count;
    return db_status(act->db);
}
