// A plugin in Rust, without crates, on the declarations that are generated from abi.h. All of its
// types are named by discover. The environment variable GOLDEN is the version of the ABI when it is
// compiled.
mod distributo_abi;

use distributo_abi::*;
use std::mem::{size_of, zeroed};
use std::os::raw::{c_char, c_void};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr::{copy_nonoverlapping, null};

const fn text(value: &str) -> dto_str {
    dto_str { ptr: value.as_ptr() as *const c_char, len: value.len() }
}

unsafe fn read<'a>(value: dto_str) -> &'a str {
    if value.len == 0 {
        return "";
    }
    let bytes = std::slice::from_raw_parts(value.ptr as *const u8, value.len);
    std::str::from_utf8(bytes).unwrap_or("")
}

unsafe extern "C" fn create(
    host: *const dto_host,
    _: *mut dto_call,
    out: *mut *mut c_void,
) -> dto_status {
    let mut table: dto_host = zeroed();
    let size = ((*host).struct_size as usize).min(size_of::<dto_host>());
    copy_nonoverlapping(host as *const u8, &mut table as *mut dto_host as *mut u8, size);
    *out = Box::into_raw(Box::new(table)) as *mut c_void;
    DTO_OK
}

unsafe extern "C" fn setup(_: *mut c_void, _: *mut dto_call, _: *const dto_setup) -> dto_status {
    DTO_OK
}

unsafe extern "C" fn teardown(_: *mut c_void, _: *mut dto_call) {}

unsafe extern "C" fn destroy(instance: *mut c_void) {
    drop(Box::from_raw(instance as *mut dto_host));
}

unsafe fn fail(host: &dto_host, call: *mut dto_call, status: dto_status, why: &str) -> dto_status {
    let error = dto_error {
        struct_size: size_of::<dto_error>() as u32,
        code: status,
        message: text(why),
        detail_json: text(""),
        retry_after_ms: if status == DTO_RETRY { 700 } else { 0 },
    };
    if let Some(set_error) = host.set_error {
        set_error(call, &error);
    }
    status
}

unsafe fn answer(host: &dto_host, call: *mut dto_call, json: &str) -> dto_status {
    let data = dto_bytes { ptr: json.as_ptr() as *const c_void, len: json.len() };
    host.result.map_or(DTO_PERMANENT, |result| result(call, data, text("")))
}

/// A task of a batch answers how many it came with; one with "bad" in it panics alone.
unsafe fn one_of(host: &dto_host, call: *mut dto_call, request: &dto_execute, count: u32) -> i32 {
    if read(request.payload_json).contains("bad") {
        panic!("a bad one");
    }
    answer(host, call, &count.to_string())
}

unsafe fn run(host: &dto_host, call: *mut dto_call, request: &dto_execute) -> dto_status {
    match read(request.task_type).rsplit('.').next().unwrap_or("") {
        "echo" => {
            if let (Some(log), Some(progress)) = (host.log, host.progress) {
                log(call, DTO_INFO, text("golden.rs echoes"), text(""));
                progress(call, 0.5, text("half"));
            }
            answer(host, call, &read(request.payload_json).to_owned())
        }
        "endless" => host.wait.map_or(DTO_PERMANENT, |wait| wait(call, 3_600_000)),
        "retry" => fail(host, call, DTO_RETRY, "not yet"),
        "batch" => one_of(host, call, request, 1),
        _ => panic!("never"),
    }
}

/// A panic must not leave through C.
unsafe fn contained(
    host: &dto_host,
    call: *mut dto_call,
    body: impl FnOnce() -> dto_status,
) -> dto_status {
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(status) => status,
        Err(panic) => {
            let why = panic.downcast_ref::<&str>().copied().unwrap_or("panicked");
            fail(host, call, DTO_PERMANENT, why)
        }
    }
}

unsafe extern "C" fn execute(
    instance: *mut c_void,
    call: *mut dto_call,
    request: *const dto_execute,
) -> dto_status {
    let host = &*(instance as *const dto_host);
    contained(host, call, || run(host, call, &*request))
}

unsafe extern "C" fn execute_batch(
    instance: *mut c_void,
    calls: *const *mut dto_call,
    tasks: *const *const dto_execute,
    count: u32,
    statuses: *mut dto_status,
) -> dto_status {
    let host = &*(instance as *const dto_host);
    for i in 0..count as usize {
        let (call, task) = (*calls.add(i), &**tasks.add(i));
        *statuses.add(i) = contained(host, call, || one_of(host, call, task, count));
    }
    DTO_OK
}

/// A constant table: nobody changes it, so every thread may read it.
#[repr(transparent)]
struct Table<T>(T);
unsafe impl<T> Sync for Table<T> {}

const fn task_type(name: &str, max_batch: u32) -> dto_task_type {
    dto_task_type {
        struct_size: size_of::<dto_task_type>() as u32,
        flags: DTO_TASK_REENTRANT,
        name: text(name),
        version: text("1.0.0"),
        summary: text("A golden type"),
        payload_schema: text(""),
        result_schema: text(""),
        install_schema: text(""),
        resources_json: text(""),
        max_concurrency: 4,
        max_batch,
        timeout_ms: 0,
        cancel_grace_ms: 5000,
        install_timeout_ms: 0,
    }
}

static TYPES: Table<[dto_task_type; 5]> = Table([
    task_type(concat!("golden.rs.", env!("GOLDEN"), ".echo"), 0),
    task_type(concat!("golden.rs.", env!("GOLDEN"), ".endless"), 0),
    task_type(concat!("golden.rs.", env!("GOLDEN"), ".retry"), 0),
    task_type(concat!("golden.rs.", env!("GOLDEN"), ".permanent"), 0),
    task_type(concat!("golden.rs.", env!("GOLDEN"), ".batch"), 5),
]);
static POINTERS: Table<[*const dto_task_type; 5]> =
    Table([&TYPES.0[0], &TYPES.0[1], &TYPES.0[2], &TYPES.0[3], &TYPES.0[4]]);

unsafe extern "C" fn discover(
    _: *mut c_void,
    _: *mut dto_call,
    types: *mut *const *const dto_task_type,
    count: *mut u32,
) -> dto_status {
    *types = &POINTERS.0 as *const [*const dto_task_type; 5] as *const *const dto_task_type;
    *count = 5;
    DTO_OK
}

static API: Table<dto_task_api> = Table(dto_task_api {
    struct_size: size_of::<dto_task_api>() as u32,
    type_count: 0,
    types: null(),
    config_schema: text(""),
    create: Some(create),
    setup: Some(setup),
    probe: None,
    install: None,
    verify: None,
    execute: Some(execute),
    cancel: None,
    teardown: Some(teardown),
    destroy: Some(destroy),
    execute_batch: Some(execute_batch),
    discover: Some(discover),
});

unsafe extern "C" fn get_interface(id: *const c_char) -> *const c_void {
    if std::ffi::CStr::from_ptr(id).to_bytes() == DTO_INTERFACE_TASK.as_bytes() {
        &API as *const Table<dto_task_api> as *const c_void
    } else {
        null()
    }
}

static MODULE: Table<dto_module> = Table(dto_module {
    struct_size: size_of::<dto_module>() as u32,
    abi_minor: DTO_ABI_MINOR,
    flags: DTO_MODULE_KEEP_LOADED,
    required_count: 0,
    name: text(concat!("golden.rs.", env!("GOLDEN"))),
    version: text("1.0.0"),
    vendor: text("Distributo"),
    license: text("MIT"),
    homepage: text(""),
    required: null(),
    get_interface: Some(get_interface),
});

#[no_mangle]
pub extern "C" fn distributo_module_v1(_: *const dto_entry) -> *const dto_module {
    &MODULE.0
}
