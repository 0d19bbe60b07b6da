#include "folder.hpp"
#include "page.hpp"

#include <distributo/plugin.hpp>

#include <chrono>
#include <optional>
#include <string>

namespace {

using namespace std::chrono_literals;

struct Config {
    std::optional<std::string> user_agent;
};
BOOST_DESCRIBE_STRUCT(Config, (), (user_agent))

class Crawler {
public:
    explicit Crawler(const distributo::Setup& setup)
        : web_{setup.config<Config>().user_agent.value_or("distributo-crawl/1.0")} {}

    crawl::PageReport page(const crawl::PageRequest& request, distributo::Task& task) const {
        return crawl::visit_page(request, web_, task);
    }

    crawl::FolderReport folder(const crawl::FolderRequest& request, distributo::Task& task) const {
        return crawl::visit_folder(request, task);
    }

private:
    mutable crawl::Web web_;  // calls run on several threads at once, which it allows
};

}  // namespace

DISTRIBUTO_PLUGIN("distributo.crawl",
                  "1.0.0",
                  distributo::task_type<&Crawler::page>(crawl::page_type)
                      .summary("Fetches a page and follows its links on the same server")
                      .timeout(60s)
                      .idempotent(),
                  distributo::task_type<&Crawler::folder>(crawl::folder_type)
                      .summary("Counts what is in a folder and follows the folders in it")
                      .idempotent(),
                  distributo::config<Config>(),
                  distributo::requires_service(DTO_SERVICE_EMIT),
                  distributo::license("MIT"));
