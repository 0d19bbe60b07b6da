// A plugin in Rust, without crates, from declarations written by hand. The environment variable
// GOLDEN is the version of the ABI when it is compiled.
#![allow(non_camel_case_types)]

use std::os::raw::{c_char, c_void};
use std::panic::{catch_unwind, AssertUnwindSafe};

#[repr(C)]
#[derive(Clone, Copy)]
struct dto_str {
    ptr: *const c_char,
    len: usize,
}

const fn text(value: &'static str) -> dto_str {
    dto_str { ptr: value.as_ptr() as *const c_char, len: value.len() }
}

fn read<'a>(value: dto_str) -> &'a str {
    if value.len == 0 {
        return "";
    }
    let bytes = unsafe { std::slice::from_raw_parts(value.ptr as *const u8, value.len) };
    std::str::from_utf8(bytes).unwrap_or("")
}

#[repr(C)]
struct dto_error {
    struct_size: u32,
    code: i32,
    message: dto_str,
    detail_json: dto_str,
    retry_after_ms: i64,
}

type Absent = Option<unsafe extern "C" fn()>;

#[repr(C)]
#[derive(Clone, Copy)]
struct dto_host {
    struct_size: u32,
    abi_minor: u32,
    name: dto_str,
    version: dto_str,
    root: *mut c_void,
    log_enabled: Absent,
    log: Option<unsafe extern "C" fn(*mut c_void, i32, dto_str, dto_str)>,
    set_error: Option<unsafe extern "C" fn(*mut c_void, *const dto_error)>,
    progress: Option<unsafe extern "C" fn(*mut c_void, f64, dto_str)>,
    cancelled: Option<unsafe extern "C" fn(*mut c_void) -> i32>,
    wait: Option<unsafe extern "C" fn(*mut c_void, i64) -> i32>,
    cancel_handle: Absent,
    remaining_ms: Absent,
    work_dir: Absent,
    result: Option<unsafe extern "C" fn(*mut c_void, dto_str, dto_str) -> i32>,
}

#[repr(C)]
struct dto_task_type {
    struct_size: u32,
    flags: u32,
    name: dto_str,
    version: dto_str,
    summary: dto_str,
    payload_schema: dto_str,
    result_schema: dto_str,
    install_schema: dto_str,
    resources_json: dto_str,
    max_concurrency: u32,
    max_batch: u32,
    timeout_ms: i64,
    cancel_grace_ms: i64,
    install_timeout_ms: i64,
}

#[repr(C)]
struct dto_execute {
    struct_size: u32,
    attempt: u32,
    task_id: dto_str,
    task_type: dto_str,
    payload_json: dto_str,
}

#[repr(C)]
struct dto_task_api {
    struct_size: u32,
    type_count: u32,
    types: *const *const dto_task_type,
    config_schema: dto_str,
    create: unsafe extern "C" fn(*const dto_host, *mut c_void, *mut *mut c_void) -> i32,
    setup: unsafe extern "C" fn(*mut c_void, *mut c_void, *const c_void) -> i32,
    probe: Absent,
    install: Absent,
    verify: Absent,
    execute: unsafe extern "C" fn(*mut c_void, *mut c_void, *const dto_execute) -> i32,
    cancel: Absent,
    teardown: unsafe extern "C" fn(*mut c_void, *mut c_void),
    destroy: unsafe extern "C" fn(*mut c_void),
}

#[repr(C)]
struct dto_module {
    struct_size: u32,
    abi_minor: u32,
    flags: u32,
    required_count: u32,
    name: dto_str,
    version: dto_str,
    vendor: dto_str,
    license: dto_str,
    homepage: dto_str,
    required: *const dto_str,
    get_interface: unsafe extern "C" fn(*const c_char) -> *const c_void,
}

/// Tables are constant, which is all that sharing them between threads needs.
struct Shared<T>(T);
unsafe impl<T> Sync for Shared<T> {}

const RETRY: i32 = 1;
const PERMANENT: i32 = -1;

unsafe extern "C" fn create(host: *const dto_host, _: *mut c_void, out: *mut *mut c_void) -> i32 {
    if ((*host).struct_size as usize) < std::mem::size_of::<dto_host>() {
        return PERMANENT;
    }
    *out = Box::into_raw(Box::new(*host)) as *mut c_void;
    0
}

unsafe extern "C" fn setup(_: *mut c_void, _: *mut c_void, _: *const c_void) -> i32 {
    0
}

unsafe extern "C" fn teardown(_: *mut c_void, _: *mut c_void) {}

unsafe extern "C" fn destroy(instance: *mut c_void) {
    drop(Box::from_raw(instance as *mut dto_host));
}

unsafe fn fail(host: &dto_host, call: *mut c_void, status: i32, why: &str) -> i32 {
    let error = dto_error {
        struct_size: std::mem::size_of::<dto_error>() as u32,
        code: status,
        message: dto_str { ptr: why.as_ptr() as *const c_char, len: why.len() },
        detail_json: text(""),
        retry_after_ms: if status == RETRY { 700 } else { 0 },
    };
    if let Some(set_error) = host.set_error {
        set_error(call, &error);
    }
    status
}

unsafe fn run(host: &dto_host, call: *mut c_void, request: &dto_execute) -> i32 {
    let kind = read(request.task_type).rsplit('.').next().unwrap_or("").to_owned();
    match kind.as_str() {
        "echo" => {
            let copy = read(request.payload_json).to_owned();
            (host.log.unwrap())(call, 2, text("golden.rs echoes"), text(""));
            (host.progress.unwrap())(call, 0.5, text("half"));
            if (host.cancelled.unwrap())(call) != 0 {
                return -2;
            }
            let data = dto_str { ptr: copy.as_ptr() as *const c_char, len: copy.len() };
            (host.result.unwrap())(call, data, text(""))
        }
        "endless" => (host.wait.unwrap())(call, 3_600_000),
        "retry" => fail(host, call, RETRY, "not yet"),
        _ => panic!("never"),
    }
}

unsafe extern "C" fn execute(
    instance: *mut c_void,
    call: *mut c_void,
    request: *const dto_execute,
) -> i32 {
    let host = &*(instance as *const dto_host);
    match catch_unwind(AssertUnwindSafe(|| run(host, call, &*request))) {
        Ok(status) => status,
        Err(panic) => {
            let why = panic.downcast_ref::<&str>().copied().unwrap_or("panicked");
            fail(host, call, PERMANENT, why)
        }
    }
}

const fn task_type(name: &'static str) -> dto_task_type {
    dto_task_type {
        struct_size: std::mem::size_of::<dto_task_type>() as u32,
        flags: 1, // DTO_TASK_REENTRANT
        name: text(name),
        version: text("1.0.0"),
        summary: text("A golden type"),
        payload_schema: text(""),
        result_schema: text(""),
        install_schema: text(""),
        resources_json: text(""),
        max_concurrency: 4,
        max_batch: 0,
        timeout_ms: 0,
        cancel_grace_ms: 5000,
        install_timeout_ms: 0,
    }
}

static TYPES: Shared<[dto_task_type; 4]> = Shared([
    task_type(concat!("golden.rs.", env!("GOLDEN"), ".echo")),
    task_type(concat!("golden.rs.", env!("GOLDEN"), ".endless")),
    task_type(concat!("golden.rs.", env!("GOLDEN"), ".retry")),
    task_type(concat!("golden.rs.", env!("GOLDEN"), ".permanent")),
]);
static POINTERS: Shared<[&dto_task_type; 4]> =
    Shared([&TYPES.0[0], &TYPES.0[1], &TYPES.0[2], &TYPES.0[3]]);

static API: Shared<dto_task_api> = Shared(dto_task_api {
    struct_size: std::mem::size_of::<dto_task_api>() as u32,
    type_count: 4,
    types: &POINTERS.0 as *const [&dto_task_type; 4] as *const *const dto_task_type,
    config_schema: text(""),
    create,
    setup,
    probe: None,
    install: None,
    verify: None,
    execute,
    cancel: None,
    teardown,
    destroy,
});

unsafe extern "C" fn get_interface(id: *const c_char) -> *const c_void {
    if std::ffi::CStr::from_ptr(id).to_bytes() == b"distributo.task/1" {
        &API as *const Shared<dto_task_api> as *const c_void
    } else {
        std::ptr::null()
    }
}

static MODULE: Shared<dto_module> = Shared(dto_module {
    struct_size: std::mem::size_of::<dto_module>() as u32,
    abi_minor: 0,
    flags: 1, // DTO_MODULE_KEEP_LOADED: the language's runtime stays
    required_count: 0,
    name: text(concat!("golden.rs.", env!("GOLDEN"))),
    version: text("1.0.0"),
    vendor: text("Distributo"),
    license: text("MIT"),
    homepage: text(""),
    required: std::ptr::null(),
    get_interface,
});

#[no_mangle]
pub extern "C" fn distributo_module_v1(_: *const c_void) -> *const c_void {
    &MODULE as *const Shared<dto_module> as *const c_void
}
