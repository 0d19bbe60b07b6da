#pragma once

#include "coordinator/api/request.hpp"

/// Every handler of the routing table, by the file that defines it.
namespace distributo::coordinator::api {

// add_task.cpp: the routes of the original
void add_task(Context& context, const Request& request, net::Respond respond);
std::unique_ptr<net::Exchange> open_add_tasks(Context& context,
                                              const net::RequestHead& head,
                                              net::Respond respond);

// create_task.cpp
void create_task(Context& context, const Request& request, net::Respond respond);

// task_batch.cpp
std::unique_ptr<net::Exchange> open_task_batch(Context& context,
                                               const net::RequestHead& head,
                                               net::Respond respond);

// tasks.cpp
void list_tasks(Context& context, const Request& request, net::Respond respond);
void get_task(Context& context, const Request& request, net::Respond respond);
void get_attempts(Context& context, const Request& request, net::Respond respond);
void get_result(Context& context, const Request& request, net::Respond respond);
void get_logs(Context& context, const Request& request, net::Respond respond);
void explain_task(Context& context, const Request& request, net::Respond respond);
void cancel_task(Context& context, const Request& request, net::Respond respond);
void retry_task(Context& context, const Request& request, net::Respond respond);
void hold_task(Context& context, const Request& request, net::Respond respond);
void release_task(Context& context, const Request& request, net::Respond respond);

// groups.cpp
void list_groups(Context& context, const Request& request, net::Respond respond);
void get_group(Context& context, const Request& request, net::Respond respond);
void cancel_group(Context& context, const Request& request, net::Respond respond);
void hold_group(Context& context, const Request& request, net::Respond respond);
void release_group(Context& context, const Request& request, net::Respond respond);
void retry_group(Context& context, const Request& request, net::Respond respond);

// results.cpp
void list_results(Context& context, const Request& request, net::Respond respond);

// hosts.cpp
void list_hosts(Context& context, const Request& request, net::Respond respond);
void get_host(Context& context, const Request& request, net::Respond respond);
void release_host(Context& context, const Request& request, net::Respond respond);
void list_types(Context& context, const Request& request, net::Respond respond);
void get_type(Context& context, const Request& request, net::Respond respond);

// plugins.cpp
void list_plugins(Context& context, const Request& request, net::Respond respond);

// extensions.cpp: generators, or sinks, as the path says
void list_instances(Context& context, const Request& request, net::Respond respond);
void create_instance(Context& context, const Request& request, net::Respond respond);
void get_instance(Context& context, const Request& request, net::Respond respond);
void remove_instance(Context& context, const Request& request, net::Respond respond);
void pause_instance(Context& context, const Request& request, net::Respond respond);
void resume_instance(Context& context, const Request& request, net::Respond respond);
void run_instance(Context& context, const Request& request, net::Respond respond);
void reset_instance(Context& context, const Request& request, net::Respond respond);
void list_plugin_files(Context& context, const Request& request, net::Respond respond);

// backups.cpp
void create_backup(Context& context, const Request& request, net::Respond respond);

// status.cpp
void get_status(Context& context, const Request& request, net::Respond respond);
void get_healthz(Context& context, const Request& request, net::Respond respond);
void get_readyz(Context& context, const Request& request, net::Respond respond);

// pages.cpp
void get_index(Context& context, const Request& request, net::Respond respond);
void get_openapi_json(Context& context, const Request& request, net::Respond respond);
void get_openapi_yaml(Context& context, const Request& request, net::Respond respond);

}  // namespace distributo::coordinator::api
