#include "base/version.hpp"
#include "runtime/check/check.hpp"
#include "wire/json.hpp"

#include <sys/utsname.h>

namespace distributo::runtime::check {
namespace {

using wire::json::Writer;

void write_file_facts(Writer& out, const Report& report) {
    out.member("sha256", report.digest).member("size", report.size);
    out.member("glibc", report.image.glibc).member("libstdcxx", report.image.libstdcxx);
    out.key("needed").begin_array();
    for (const std::string& library : report.image.needed)
        out.string(library);
    out.end_array();
}

/// "x86_64-linux-gnu": only libraries for this machine get this far.
std::string target() {
    utsname about{};
    uname(&about);
    return std::string(about.machine) + "-linux-gnu";
}

}  // namespace

std::string report_text(const Report& report) {
    using std::chrono::duration_cast;
    std::string text;
    Writer out(text);
    out.begin_object().member("file", report.file.string()).member("ok", report.ok());
    write_file_facts(out, report);
    if (report.module.empty())
        out.key("module").null();
    else
        out.member_raw("module", report.module);
    out.key("checks").begin_array();
    for (const CheckResult& result : report.results) {
        out.begin_object()
            .member("id", result.check->id)
            .member("group", group_name(result.check->group))
            .member("title", result.check->title)
            .member("status", status_name(result.verdict.status))
            .member("why", result.verdict.why)
            .member("hint", result.verdict.hint)
            .member("elapsed_us", duration_cast<std::chrono::microseconds>(result.elapsed).count())
            .end_object();
    }
    out.end_array().end_object();
    return text;
}

std::string manifest_text(const Report& report) {
    std::string text;
    Writer out(text);
    out.begin_object().member("manifest", 1);
    wire::json::Reader module(report.module);
    if (module.begin_object())
        for (std::string_view key; module.next_member(key);) {
            wire::json::Value value;
            if (!module.value(value))
                break;
            out.member_raw(key, value.text);
        }
    out.member("target", target());
    write_file_facts(out, report);
    out.member_raw("samples", samples_text(report.samples));
    out.key("checked")
        .begin_object()
        .member("by", "distributo " + std::string(base::version))
        .member("ok", report.count(Verdict::Status::ok))
        .member("skipped", report.count(Verdict::Status::skipped))
        .end_object();
    out.end_object();
    return text;
}

}  // namespace distributo::runtime::check
