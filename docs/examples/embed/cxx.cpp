// cxx: several answers at once from C++17. The wrapper is a few lines: everything that is made is freed by
// the _free of its own, which takes a null pointer.
//
//   c++ -std=c++17 cxx.cpp $(pkg-config --cflags --libs koine) && OPENAI_API_KEY=… ./a.out
#include <koine/koine.h>

#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace koine {

template <auto release> struct Free {
    template <class T> void operator()(T *object) const
    {
        release(object);
    }
};
using Hub = std::unique_ptr<koine_hub, Free<koine_hub_free>>;
using Client = std::unique_ptr<koine_client, Free<koine_client_free>>;
using Request = std::unique_ptr<koine_request, Free<koine_request_free>>;
using Call = std::unique_ptr<koine_call, Free<koine_call_free>>;
using Error = std::unique_ptr<koine_error, Free<koine_error_free>>;

// check([&](koine_error **error) { return koine_…(…, error); })
template <class Function> void check(Function function)
{
    koine_error *record = nullptr;
    if (int rc = function(&record); rc != KOINE_OK) {
        Error error(record);
        throw std::runtime_error(error ? koine_error_message(error.get()) : koine_strerror(rc));
    }
}

// make<Client>(koine_client_new, hub.get())
template <class Object, class Maker, class... Arguments> Object make(Maker maker, Arguments... arguments)
{
    typename Object::pointer made = nullptr;
    check([&](koine_error **error) { return maker(arguments..., &made, error); });
    return Object(made);
}

} // namespace koine

namespace {

constexpr const char *questions[] = {"Why is the sky blue?", "Why is grass green?", "Why is snow white?"};

koine::Request ask(const char *target, const char *question)
{
    koine_request *made = nullptr;
    koine_request_new(&made);
    koine_request_message(made, "user", question);
    koine_request_set_target(made, target);
    koine_request_set_user(made, const_cast<char *>(question));
    return koine::Request(made);
}

bool run(koine_client *client)
{
    std::size_t left = std::size(questions);
    bool fine = true;
    while (left > 0 && koine_wait(client, -1) == KOINE_OK) {
        koine_call *which = nullptr;
        const koine_event *event = nullptr;
        while (koine_next(client, &which, &event) == 1) {
            int kind = koine_event_kind(event);
            if (kind != KOINE_EVENT_STOP && kind != KOINE_EVENT_FAULT)
                continue; // KOINE_EVENT_TEXT has a piece of the answer
            koine::Call call(which);
            std::string_view text = koine_response_text(koine_call_response(which), nullptr);
            if (kind == KOINE_EVENT_FAULT) {
                text = koine_error_message(koine_event_error(event));
                fine = false;
            }
            std::cout << static_cast<const char *>(koine_call_user(which)) << ' ' << text << '\n';
            left--;
        }
    }
    return fine && left == 0;
}

} // namespace

int main(int argc, char **argv)
try {
    const char *target = argc > 1 ? argv[1] : "openai/gpt-4o-mini";
    auto hub = koine::make<koine::Hub>(koine_hub_new);
    koine::check([&](koine_error **error) { return koine_hub_load_environment(hub.get(), error); });
    auto client = koine::make<koine::Client>(koine_client_new, hub.get());
    for (const char *question : questions)
        koine::make<koine::Call>(koine_start, client.get(), ask(target, question).get()).release();
    return run(client.get()) ? 0 : 1;
} catch (const std::exception &error) {
    std::cerr << error.what() << '\n';
    return 1;
}
