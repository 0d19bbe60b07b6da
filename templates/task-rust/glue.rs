//! Between the ABI and safe Rust: what a plugin does not need to touch.
use crate::distributo_abi::*;
use std::mem::{size_of, zeroed};
use std::os::raw::{c_char, c_void};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr::{copy_nonoverlapping, null};

/// Why a task did not succeed.
pub struct Failure {
    status: dto_status,
    message: String,
}

#[allow(dead_code)]
impl Failure {
    /// The same input would fail again.
    pub fn permanent(message: String) -> Failure {
        Failure { status: DTO_PERMANENT, message }
    }
    /// Worth another try.
    pub fn retry(message: String) -> Failure {
        Failure { status: DTO_RETRY, message }
    }
    /// Stopped early, because `Call::cancelled` said so.
    pub fn cancelled() -> Failure {
        Failure { status: DTO_CANCELLED, message: "cancelled".to_string() }
    }
}

/// The call that is running: what the host offers while it does.
pub struct Call<'a> {
    host: &'a dto_host,
    call: *mut dto_call,
}

impl Call<'_> {
    /// Whether the task should end early.
    pub fn cancelled(&self) -> bool {
        self.host.cancelled.map_or(false, |cancelled| unsafe { cancelled(self.call) != 0 })
    }
    pub fn log(&self, line: &str) {
        if let Some(log) = self.host.log {
            unsafe { log(self.call, DTO_INFO, text(line), text("")) }
        }
    }
    fn result(&self, json: &str) -> dto_status {
        let data = dto_bytes { ptr: json.as_ptr() as *const c_void, len: json.len() };
        self.host.result.map_or(DTO_PERMANENT, |result| unsafe { result(self.call, data, text("")) })
    }
    fn fail(&self, failure: Failure) -> dto_status {
        let error = dto_error {
            struct_size: size_of::<dto_error>() as u32,
            code: failure.status,
            message: text(&failure.message),
            detail_json: text(""),
            retry_after_ms: 0,
        };
        if let Some(set_error) = self.host.set_error {
            unsafe { set_error(self.call, &error) }
        }
        failure.status
    }
}

/// Lives as long as what it is made of: the host copies it.
const fn text(of: &str) -> dto_str {
    dto_str { ptr: of.as_ptr() as *const c_char, len: of.len() }
}

/// What the host passes is valid for the call, but nobody promises UTF-8.
unsafe fn read(of: dto_str) -> String {
    if of.len == 0 {
        return String::new();
    }
    String::from_utf8_lossy(std::slice::from_raw_parts(of.ptr as *const u8, of.len)).into_owned()
}

unsafe extern "C" fn create(host: *const dto_host, _: *mut dto_call, out: *mut *mut c_void) -> dto_status {
    // The host may be older or newer than this: what it lacks stays None, what is more is left out.
    let mut table: dto_host = zeroed();
    let size = ((*host).struct_size as usize).min(size_of::<dto_host>());
    copy_nonoverlapping(host as *const u8, &mut table as *mut dto_host as *mut u8, size);
    *out = Box::into_raw(Box::new(table)) as *mut c_void;
    DTO_OK
}

unsafe extern "C" fn setup(_: *mut c_void, _: *mut dto_call, _: *const dto_setup) -> dto_status {
    DTO_OK
}

unsafe extern "C" fn execute(instance: *mut c_void, call: *mut dto_call, request: *const dto_execute) -> dto_status {
    let call = Call { host: &*(instance as *const dto_host), call };
    let payload = read((*request).payload_json);
    // A panic must not leave through C.
    match catch_unwind(AssertUnwindSafe(|| crate::run(&payload, &call))) {
        Ok(Ok(json)) => call.result(&json),
        Ok(Err(failure)) => call.fail(failure),
        Err(_) => call.fail(Failure::permanent("the plugin panicked".to_string())),
    }
}

unsafe extern "C" fn teardown(_: *mut c_void, _: *mut dto_call) {}

unsafe extern "C" fn destroy(instance: *mut c_void) {
    drop(Box::from_raw(instance as *mut dto_host));
}

/// A constant table: nobody changes it, so every thread may read it.
#[repr(transparent)]
struct Table<T>(T);
unsafe impl<T> Sync for Table<T> {}

static TYPE: Table<dto_task_type> = Table(dto_task_type {
    struct_size: size_of::<dto_task_type>() as u32,
    flags: DTO_TASK_REENTRANT | DTO_TASK_IDEMPOTENT | DTO_TASK_DETERMINISTIC,
    name: text(crate::TASK_TYPE),
    version: text(crate::VERSION),
    summary: text(crate::SUMMARY),
    payload_schema: text(crate::PAYLOAD_SCHEMA),
    result_schema: text(crate::RESULT_SCHEMA),
    install_schema: text(""),
    resources_json: text(""),
    max_concurrency: 0,
    max_batch: 0,
    timeout_ms: 0,
    cancel_grace_ms: 0,
    install_timeout_ms: 0,
});

static TYPES: Table<[*const dto_task_type; 1]> = Table([&TYPE.0]);

static API: Table<dto_task_api> = Table(dto_task_api {
    struct_size: size_of::<dto_task_api>() as u32,
    type_count: 1,
    types: &TYPES.0 as *const [*const dto_task_type; 1] as *const *const dto_task_type,
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
    execute_batch: None,
    discover: None,
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
    // Rust's standard library keeps thread-local objects, which pin the library.
    flags: DTO_MODULE_KEEP_LOADED,
    required_count: 0,
    name: text(crate::NAME),
    version: text(crate::VERSION),
    vendor: text(""),
    license: text(""),
    homepage: text(""),
    required: null(),
    get_interface: Some(get_interface),
});

#[no_mangle]
pub extern "C" fn distributo_module_v1(_: *const dto_entry) -> *const dto_module {
    &MODULE.0
}
