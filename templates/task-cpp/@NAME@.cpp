#include <distributo/plugin.hpp>

namespace {

/// What a task is given. Members that are std::optional may be left out of the JSON.
struct Text {
    std::string text;
    std::optional<bool> capitals;
};
BOOST_DESCRIBE_STRUCT(Text, (), (text, capitals))

/// What it answers.
struct Reversed {
    std::string text;
    std::size_t length = 0;
};
BOOST_DESCRIBE_STRUCT(Reversed, (), (text, length))

/// Runs one task; on several threads at once, so it keeps no state of its own.
Reversed run(const Text& input, distributo::Task& task) {
    if (input.text.empty()) {
        throw distributo::permanent("text must not be empty");
    }
    Reversed answer;
    for (std::size_t end = input.text.size(); end > 0;) {
        task.check();  // ends the task here when somebody has cancelled it
        std::size_t begin = end - 1;
        while (begin > 0 && (input.text[begin] & 0xC0) == 0x80) {
            --begin;  // characters, not bytes: the result has to stay UTF-8
        }
        answer.text += input.text.substr(begin, end - begin);
        char& c = answer.text.back();
        if (input.capitals.value_or(false) && c >= 'a' && c <= 'z') {
            c = static_cast<char>(c - 'a' + 'A');
        }
        ++answer.length;
        end = begin;
    }
    task.info("reversed " + std::to_string(answer.length) + " characters");
    return answer;
}

}  // namespace

DISTRIBUTO_PLUGIN("@NAME@", "0.1.0", distributo::task_type<run>("@NAME@.run"));
