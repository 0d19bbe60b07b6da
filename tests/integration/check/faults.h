// The ways in which faulty.c can be wrong. The build chooses one: -DFAULT=fault_name.
#pragma once

enum fault {
    fault_none,
    // while it is loaded
    fault_thread_at_load,
    fault_descriptor_at_load,
    fault_output_at_load,
    fault_signal_at_load,
    fault_folder_at_load,
    // in its tables
    fault_entry_refuses,
    fault_entry_changes,
    fault_wild_pointer,
    fault_not_utf8,
    fault_short_table,
    fault_bad_name,
    fault_bad_version,
    fault_same_type_twice,
    fault_must_understand,
    fault_unknown_service,
    fault_bad_schema,
    fault_bad_resources,
    // in its life
    fault_create_fails,
    fault_setup_fails,
    fault_discover_changes,
    fault_discover_schema,
    fault_probe_nonsense,
    fault_config_crash,
    fault_teardown_hangs,
    fault_one_instance,
    fault_thread_left,
    fault_descriptor_left,
    fault_leak,
    // in every task
    fault_crash,
    fault_exit,
    fault_status,
    fault_pending,
    fault_after_end,
    fault_complete_twice,
    // in some tasks
    fault_sample_fails,
    fault_bad_result,
    fault_limit_crash,
    fault_accepts_anything,
    fault_retries_malformed,
    fault_not_reentrant,
    fault_batch_differs,
    fault_task_thread,
    fault_task_descriptor,
    fault_cancel_never,
    fault_cancel_once,
    fault_deadline_ignored,
    fault_loses_result,
    fault_trusts_memory,
    // in what it believes about its host
    fault_reads_too_far,
    fault_wants_newer,
    fault_wants_same_size,
    // in what it installs
    fault_install_fails,
    fault_install_records_path,
    fault_install_locks,
    fault_install_changed
};
