/*
 * libalterrec for C++17: the functions of alterrec.h as classes. Nothing but this header is added;
 * it calls the C functions, whose comments in alterrec.h say what each does.
 *
 *  - A handle is a class that is moved, not copied, and frees itself. One made without a value is
 *    empty. `handle()` gives the C handle, so that both interfaces may be used side by side; a
 *    constructor takes over a C handle, `release()` hands it out.
 *  - A borrowed handle is a `..._view`: config_view, catalog_view, sessions_view. An empty one
 *    stands where C takes NULL. It must not outlive what it was got from.
 *  - Arrays are spans over the caller's memory: std::vector, std::array, C arrays, {1, 2, 3}, or
 *    {pointer, size}. A span of another size than the call needs is INVALID_ARGUMENT.
 *  - A function that can fail throws alterrec::error, which has the status and the text. With
 *    alterrec::nothrow as its last argument it throws nothing of its own and returns a result<T>
 *    in the place of T. Without exceptions in the compiler (-fno-exceptions) that is the only form.
 *  - A callback is anything that can be called, and is kept until it is replaced or the handle
 *    ends. It returns nothing (go on), or a number as in alterrec.h: alterrec::go_on,
 *    alterrec::stop, a negative one to fail. What it throws comes out of the call that called it,
 *    unchanged, in both forms.
 *  - Threads: a const function may be called by several threads at once, the others by one, alone.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef ALTERREC_ALTERREC_HPP
#define ALTERREC_ALTERREC_HPP

#include <alterrec/alterrec.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <initializer_list>
#include <limits>
#include <locale>
#include <memory>
#include <new>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#if defined(__cpp_exceptions) || defined(__EXCEPTIONS)
#define ALTERREC_HPP_EXCEPTIONS 1
#else
#define ALTERREC_HPP_EXCEPTIONS 0
#endif

namespace alterrec {

/* ---------------------------------------------------------------------------------------------
 * Spans
 * ------------------------------------------------------------------------------------------- */

/* `size()` values of the caller's, one behind the other. */
template <class T> class span {
  public:
    /* No values; so many from a pointer on; an array's. */
    constexpr span() noexcept = default;
    constexpr span(T *values, std::size_t size) noexcept : data_(values), size_(size) {
    }
    template <std::size_t N> constexpr span(T (&values)[N]) noexcept : data_(values), size_(N) {
    }

    /* Whatever has data() and size() of such values: std::vector, std::array, std::span. */
    template <class Container,
              class = std::enable_if_t<
                  std::is_convertible_v<
                      std::remove_pointer_t<decltype(std::declval<Container &>().data())> (*)[],
                      T (*)[]> &&
                  std::is_convertible_v<decltype(std::declval<Container &>().size()), std::size_t>>>
    constexpr span(Container &&values) noexcept : data_(values.data()), size_(values.size()) {
    }

    /* For arguments: the values live until the end of the full expression. */
    template <class U = T, class = std::enable_if_t<std::is_const_v<U>>>
    constexpr span(std::initializer_list<std::remove_const_t<U>> values) noexcept
        : size_(values.size()) {
        data_ = values.begin();
    }

    /* As of std::span; count is the size as the C functions take it. */
    constexpr T *data() const noexcept {
        return data_;
    }
    constexpr std::size_t size() const noexcept {
        return size_;
    }
    constexpr std::int64_t count() const noexcept {
        return static_cast<std::int64_t>(size_);
    }
    constexpr bool empty() const noexcept {
        return size_ == 0;
    }
    constexpr T *begin() const noexcept {
        return data_;
    }
    constexpr T *end() const noexcept {
        return data_ + size_;
    }
    constexpr T &operator[](std::size_t index) const noexcept {
        return data_[index];
    }
    constexpr T &back() const noexcept {
        return data_[size_ - 1];
    }

  private:
    T *data_ = nullptr;
    std::size_t size_ = 0;
};

/* ---------------------------------------------------------------------------------------------
 * Errors
 * ------------------------------------------------------------------------------------------- */

/* What a failing call throws: what() is the text of alterrec_last_error. */
class error : public std::runtime_error {
  public:
    /* What the call returned, and the text for what(). */
    error(alterrec_status status, const std::string &text)
        : std::runtime_error(text), status_(status) {
    }
    /* What the call returned: ALTERREC_ERROR_..., or a callback's own number. */
    alterrec_status status() const noexcept {
        return status_;
    }
    const char *status_name() const noexcept {
        return alterrec_status_name(status_);
    }

  private:
    alterrec_status status_;
};

/* What a call with alterrec::nothrow returns: a value, or a status and a text. */
template <class T> class [[nodiscard]] result {
  public:
    /* What a call makes: one that went well, or an error. */
    result(T value) : value_(std::move(value)) {
    }
    result(alterrec_status status, std::string text) : status_(status), text_(std::move(text)) {
    }

    /* Whether it went well; what went wrong if not. */
    bool ok() const noexcept {
        return status_ == ALTERREC_OK;
    }
    explicit operator bool() const noexcept {
        return ok();
    }
    alterrec_status status() const noexcept {
        return status_;
    }
    const std::string &text() const noexcept {
        return text_;
    }
    /* The value; only of a result that is ok(). */
    T &operator*() &noexcept {
        return *value_;
    }
    const T &operator*() const &noexcept {
        return *value_;
    }
    T &&operator*() &&noexcept {
        return *std::move(value_);
    }
    T *operator->() noexcept {
        return &*value_;
    }
#if ALTERREC_HPP_EXCEPTIONS
    /* The value, or the error thrown. */
    T value() && {
        if (!ok())
            throw error(status_, text_);
        return *std::move(value_);
    }
#endif

  private:
    std::optional<T> value_;
    alterrec_status status_ = ALTERREC_OK;
    std::string text_;
};

/* The same of a call that gives no value. */
template <> class [[nodiscard]] result<void> {
  public:
    /* What a call makes: one that went well, or an error. */
    result() = default;
    result(alterrec_status status, std::string text) : status_(status), text_(std::move(text)) {
    }

    /* Whether it went well; what went wrong if not. */
    bool ok() const noexcept {
        return status_ == ALTERREC_OK;
    }
    explicit operator bool() const noexcept {
        return ok();
    }
    alterrec_status status() const noexcept {
        return status_;
    }
    const std::string &text() const noexcept {
        return text_;
    }
#if ALTERREC_HPP_EXCEPTIONS
    /* Throws the error if it is one. */
    void value() && {
        if (!ok())
            throw error(status_, text_);
    }
#endif

  private:
    alterrec_status status_ = ALTERREC_OK;
    std::string text_;
};

/* The last argument of a call that is to return a result. */
struct nothrow_t {};
inline constexpr nothrow_t nothrow{};

/* The form of a call without that argument: it throws, where the compiler knows exceptions. */
struct throws_t {};
#if ALTERREC_HPP_EXCEPTIONS
using default_form = throws_t;
#else
using default_form = nothrow_t;
#endif

/* Answers of a callback. */
inline constexpr std::int32_t go_on = 0;
inline constexpr std::int32_t stop = 1;

namespace detail {

/* An error that this header finds has no text in the library. */
struct failure {
    alterrec_status status = ALTERREC_OK;
    std::string text;
};

/* Runs what needs memory of C++ as well: having none is OUT_OF_MEMORY, as it is of the library. */
template <class Work> failure guarded(Work work) {
#if ALTERREC_HPP_EXCEPTIONS
    try {
        return work();
    } catch (const std::bad_alloc &) {
        return {ALTERREC_ERROR_OUT_OF_MEMORY, "out of memory"};
    } catch (const std::length_error &) {
        return {ALTERREC_ERROR_OUT_OF_MEMORY, "out of memory"};
    }
#else
    return work();
#endif
}

/* The library's error, which may be a callback's own number. A text for which there is no memory is
 * left out. */
inline failure last_failure(alterrec_status status) {
    failure last;
    if (status != ALTERREC_OK)
        last = guarded([] {
            std::string text(alterrec_last_error_copy(nullptr, 0) + 1, 0);
            text.resize(alterrec_last_error_copy(text.data(), text.size()));
            return failure{ALTERREC_OK, std::move(text)};
        });
    last.status = status;
    return last;
}

inline failure wrong(const char *text) {
    return guarded([&] { return failure{ALTERREC_ERROR_INVALID_ARGUMENT, text}; });
}

template <class Form> struct form;

template <> struct form<nothrow_t> {
    template <class T> using outcome = result<T>;
    static result<void> finish(failure f) {
        return f.status == ALTERREC_OK ? result<void>() : result<void>(f.status, std::move(f.text));
    }
    template <class T> static result<T> finish(failure f, T value) {
        return f.status == ALTERREC_OK ? result<T>(std::move(value))
                                       : result<T>(f.status, std::move(f.text));
    }
};

#if ALTERREC_HPP_EXCEPTIONS
template <> struct form<throws_t> {
    template <class T> using outcome = T;
    static void finish(failure f) {
        if (f.status != ALTERREC_OK)
            throw error(f.status, f.text);
    }
    template <class T> static T finish(failure f, T value) {
        finish(std::move(f));
        return value;
    }
};

/* What a callback threw on this thread, on its way around the C functions. */
inline std::exception_ptr &thrown() {
    thread_local std::exception_ptr pointer;
    return pointer;
}
inline constexpr alterrec_status callback_threw = std::numeric_limits<alterrec_status>::min() + 77;

inline void rethrow(alterrec_status status) {
    if (status == callback_threw && thrown())
        std::rethrow_exception(std::exchange(thrown(), nullptr));
}
#else
inline void rethrow(alterrec_status) {
}
#endif

/* Makes of a status what the form of the call returns. */
template <class Form> auto finish(alterrec_status status) {
    rethrow(status);
    return form<Form>::finish(last_failure(status));
}
template <class Form, class T> auto finish(alterrec_status status, T value) {
    rethrow(status);
    return form<Form>::finish(last_failure(status), std::move(value));
}
template <class Form> auto finish(failure f) {
    rethrow(f.status);
    return form<Form>::finish(std::move(f));
}
template <class Form, class T> auto finish(failure f, T value) {
    rethrow(f.status);
    return form<Form>::finish(std::move(f), std::move(value));
}

/* Calls a callback from C. */
template <class Callback, class... Arguments>
std::int32_t answer(Callback &callback, Arguments &&...arguments) {
    using answer_type = std::invoke_result_t<Callback &, Arguments &&...>;
    static_assert(!std::is_same_v<answer_type, bool>,
                  "a callback returns nothing, or alterrec::go_on, alterrec::stop, a number");
#if ALTERREC_HPP_EXCEPTIONS
    try {
#endif
        if constexpr (std::is_void_v<answer_type>) {
            callback(std::forward<Arguments>(arguments)...);
            return go_on;
        } else {
            return callback(std::forward<Arguments>(arguments)...);
        }
#if ALTERREC_HPP_EXCEPTIONS
    } catch (...) {
        thrown() = std::current_exception();
        return callback_threw;
    }
#endif
}

/* A callback that a handle keeps. One that is replaced while it runs lives until it returns. */
template <class Callback> struct held : std::enable_shared_from_this<held<Callback>> {
    explicit held(Callback given) : callback(std::move(given)) {
    }
    Callback callback;
};

template <class Callback, class... Arguments>
std::int32_t answer_held(void *place, Arguments &&...arguments) {
    std::shared_ptr<held<Callback>> running =
        static_cast<held<Callback> *>(place)->shared_from_this();
    return answer(running->callback, std::forward<Arguments>(arguments)...);
}

template <class Callback>
std::int32_t call_progress(const alterrec_progress *progress, void *place) {
    return answer_held<Callback>(place, *progress);
}

template <class Callback> std::int32_t call_fusion(const alterrec_fusion_tile *tile, void *place) {
    return answer_held<Callback>(place, *tile);
}

/* One that is the caller's. */
template <class Callback>
std::int32_t call_lent_fusion(const alterrec_fusion_tile *tile, void *callback) {
    return answer(*static_cast<Callback *>(callback), *tile);
}

template <class Callback>
std::int32_t call_schedule(alterrec_plan *plan, const alterrec_epoch_report *last, void *place) {
    return answer_held<Callback>(place, *plan, last);
}

template <class Callback>
std::int32_t call_log(std::int32_t level, const char *message, void *place) {
    return answer_held<Callback>(place, level, message);
}

template <class Callback>
std::int32_t call_negatives(std::int32_t *negatives, const alterrec_examples *examples,
                            std::int64_t per_example, void *place) {
    return answer_held<Callback>(
        place,
        span<std::int32_t>(negatives, static_cast<std::size_t>(examples->count * per_example)),
        *examples, per_example);
}

/* Gives a callback to `set`, which a C function stands behind, and keeps it if it was taken. */
template <class Form, class Callback, class Set>
auto keep(std::shared_ptr<void> &place, Callback &&callback, Set set) {
    failure f = guarded([&] {
        auto kept =
            std::make_shared<held<std::decay_t<Callback>>>(std::forward<Callback>(callback));
        alterrec_status status = set(kept.get());
        if (status == ALTERREC_OK)
            place = std::move(kept);
        return last_failure(status);
    });
    return finish<Form>(std::move(f));
}

/* The callback was taken back: `status` says whether. */
template <class Form> auto drop(std::shared_ptr<void> &place, alterrec_status status) {
    if (status == ALTERREC_OK)
        place.reset();
    return finish<Form>(status);
}

/* A C handle and its end. */
template <class Handle, void (*Free)(Handle *)> class owner {
  public:
    /* Empty, or the owner of a C handle. */
    owner() noexcept = default;
    explicit owner(Handle *handle) noexcept : handle_(handle) {
    }
    /* The C handle, which stays with this object; after release() it is the caller's to free. */
    Handle *handle() const noexcept {
        return handle_.get();
    }
    Handle *release() noexcept {
        return handle_.release();
    }
    /* Whether it holds a handle. */
    explicit operator bool() const noexcept {
        return handle_ != nullptr;
    }

  private:
    struct end {
        void operator()(Handle *handle) const noexcept {
            Free(handle);
        }
    };
    std::unique_ptr<Handle, end> handle_;
};

/* A C handle of somebody else's. */
template <class Handle> class borrower {
  public:
    /* Empty, or a view of a C handle. */
    borrower() noexcept = default;
    borrower(const Handle *handle) noexcept : handle_(handle) {
    }
    /* The C handle; NULL of an empty one. */
    const Handle *handle() const noexcept {
        return handle_;
    }
    /* Whether it holds a handle. */
    explicit operator bool() const noexcept {
        return handle_ != nullptr;
    }

  private:
    const Handle *handle_ = nullptr;
};

/* Whether C sees all of a string: it would lose what stands behind a 0. */
inline bool whole(const std::string &text) noexcept {
    return std::strlen(text.c_str()) == text.size();
}
template <class Other> constexpr bool whole(const Other &) noexcept {
    return true;
}
inline const char *as_c(const std::string &text) noexcept {
    return text.c_str();
}
template <class Other> constexpr Other as_c(Other other) noexcept {
    return other;
}

/* Calls a C function with strings among its arguments. */
template <class Function, class... Arguments>
failure with_text(Function function, const Arguments &...arguments) {
    if (!(whole(arguments) && ...))
        return wrong("a string holds a 0");
    return last_failure(function(as_c(arguments)...));
}

/* Strings as C takes an array of them. */
class c_strings {
  public:
    explicit c_strings(span<const std::string> strings) {
        pointers_.reserve(strings.size());
        for (const std::string &s : strings) {
            whole_ = whole_ && detail::whole(s);
            pointers_.push_back(s.c_str());
        }
    }
    const char *const *data() const noexcept {
        return pointers_.empty() ? nullptr : pointers_.data();
    }
    bool whole() const noexcept {
        return whole_;
    }

  private:
    std::vector<const char *> pointers_;
    bool whole_ = true;
};

/* A number as text, the same in every locale. */
template <class Number> std::string text_of(Number number) {
    if constexpr (std::is_same_v<Number, bool>)
        return number ? "true" : "false";
    std::ostringstream text;
    text.imbue(std::locale::classic());
    text.precision(std::numeric_limits<double>::max_digits10);
    text << number;
    return text.str();
}

inline bool has(std::size_t size, std::int64_t rows, std::int64_t columns) {
    if (rows <= 0 || columns <= 0)
        return rows >= 0 && columns >= 0 && size == 0;
    std::size_t row = static_cast<std::size_t>(columns); /* the product may be too large */
    return size % row == 0 && size / row == static_cast<std::size_t>(rows);
}

} // namespace detail

/* T, or result<T> if the call's last argument is alterrec::nothrow. */
template <class Form, class T> using outcome = typename detail::form<Form>::template outcome<T>;

inline std::uint32_t version() noexcept {
    return alterrec_version();
}
inline const char *build_info() noexcept {
    return alterrec_build_info();
}

/* ---------------------------------------------------------------------------------------------
 * The structs of alterrec.h, made with their size in place
 * ------------------------------------------------------------------------------------------- */

/* A C with struct_size set. */
template <class C> struct sized : C {
    /* All other fields are 0. */
    sized() noexcept : C{} {
        this->struct_size = sizeof(C);
    }
};
/* The struct of that name in alterrec.h. */
using option = sized<alterrec_option>;
using data_report = sized<alterrec_data_report>;
using tensor = sized<alterrec_tensor>;
using plan = sized<alterrec_plan>;
using step_report = sized<alterrec_step_report>;
using epoch_report = sized<alterrec_epoch_report>;
using search_report = sized<alterrec_search_report>;

/* How calls search, with the fields of alterrec_search: filter is a filter's handle(). */
struct search : sized<alterrec_search> {
    /* callback(const alterrec_fusion_tile &) in the place of the weighted sum, on the thread of the
     * call. It is the caller's, and must live while the search is used. */
    template <class Callback> void fuse_by(Callback &callback) noexcept {
        fusion = detail::call_lent_fusion<Callback>;
        user_data = const_cast<void *>(static_cast<const void *>(std::addressof(callback)));
    }
};

/* Whose item table, vectors or scores. */
enum class scorer : std::int32_t {
    id = ALTERREC_ID,
    text = ALTERREC_TEXT,
    fused = ALTERREC_FUSED,
    popularity = ALTERREC_POPULARITY
};
/* By which measure. */
enum class metric : std::int32_t { hits = ALTERREC_HITS, mrr = ALTERREC_MRR, ndcg = ALTERREC_NDCG };
/* Which set of a dataset. */
enum class split : std::int32_t {
    train = ALTERREC_SPLIT_TRAIN,
    valid = ALTERREC_SPLIT_VALID,
    test = ALTERREC_SPLIT_TEST
};

/* ---------------------------------------------------------------------------------------------
 * Config
 * ------------------------------------------------------------------------------------------- */

namespace detail {

/* What config and config_view have in common. */
template <class Base> class config_reader : public Base {
  public:
    using Base::Base;

    /* The value of an option, as text. */
    template <class Form = default_form>
    outcome<Form, std::string> get(const std::string &key, Form = {}) const {
        std::string value;
        failure f = guarded([&] {
            const char *text = nullptr;
            failure got = with_text(alterrec_config_get, &text, this->handle(), key);
            if (got.status == ALTERREC_OK)
                value = text;
            return got;
        });
        return finish<Form>(std::move(f), std::move(value));
    }
    template <class Form = default_form>
    outcome<Form, void> write(const std::string &path, Form = {}) const {
        return finish<Form>(with_text(alterrec_config_write, this->handle(), path));
    }
};

} // namespace detail

/* Borrowed options: what only reads. */
using config_view = detail::config_reader<detail::borrower<alterrec_config>>;

/* A value for every option. Where a config_view is an argument, {} sets none of them. */
class config : public detail::config_reader<detail::owner<alterrec_config, alterrec_config_free>> {
  public:
    using config_reader::config_reader;
    /* A view of it, wherever one is wanted. */
    operator config_view() const noexcept {
        return config_view(handle());
    }

    template <class Form = default_form> static outcome<Form, config> create(Form = {}) {
        alterrec_config *made = nullptr;
        alterrec_status status = alterrec_config_create(&made);
        return detail::finish<Form>(status, config(made));
    }
    template <class Form = default_form>
    static outcome<Form, config> clone(config_view source, Form = {}) {
        alterrec_config *made = nullptr;
        alterrec_status status = alterrec_config_clone(&made, source.handle());
        return detail::finish<Form>(status, config(made));
    }

    template <class Form = default_form>
    outcome<Form, void> set(const std::string &key, const std::string &value, Form = {}) {
        return detail::finish<Form>(detail::with_text(alterrec_config_set, handle(), key, value));
    }
    /* A number or a bool. */
    template <class Number, class Form = default_form,
              class = std::enable_if_t<std::is_arithmetic_v<Number>>>
    outcome<Form, void> set(const std::string &key, Number value, Form form = {}) {
        return set(key, detail::text_of(value), form);
    }
    template <class Form = default_form>
    outcome<Form, void> read(const std::string &path, Form = {}) {
        return detail::finish<Form>(detail::with_text(alterrec_config_read, handle(), path));
    }
    template <class Form = default_form>
    outcome<Form, void> read_text(const std::string &text, Form = {}) {
        return detail::finish<Form>(alterrec_config_read_text(handle(), text.data(), text.size()));
    }
};

/* Every row of the option table. */
template <class Form = default_form> outcome<Form, std::vector<option>> options(Form = {}) {
    std::vector<option> rows;
    detail::failure f = detail::guarded([&] {
        alterrec_status status = ALTERREC_OK;
        for (std::int64_t i = 0; i < alterrec_option_count() && status == ALTERREC_OK; i++) {
            option row;
            status = alterrec_option_describe(&row, i);
            rows.push_back(row);
        }
        return detail::last_failure(status);
    });
    return detail::finish<Form>(std::move(f), std::move(rows));
}

/* ---------------------------------------------------------------------------------------------
 * Data
 * ------------------------------------------------------------------------------------------- */

namespace detail {

/* What catalog and catalog_view have in common. */
template <class Base> class catalog_reader : public Base {
  public:
    using Base::Base;

    std::int64_t items() const noexcept {
        return alterrec_catalog_items(this->handle());
    }
    /* NULL if there is no such item. */
    const char *key(std::int32_t item) const noexcept {
        return alterrec_catalog_key(this->handle(), item);
    }
    const char *text(std::int32_t item) const noexcept {
        return alterrec_catalog_text(this->handle(), item);
    }
    /* The item of that key. */
    std::optional<std::int32_t> find(const std::string &key) const noexcept {
        std::int32_t item = whole(key) ? alterrec_catalog_find(this->handle(), key.c_str()) : -1;
        return item < 0 ? std::nullopt : std::optional<std::int32_t>(item);
    }
    std::int64_t feature_dim() const noexcept {
        return alterrec_catalog_feature_dim(this->handle());
    }
    /* [items, feature_dim]; empty if there are none. */
    span<const float> features() const noexcept {
        const float *values = alterrec_catalog_features(this->handle());
        return values == nullptr
                   ? span<const float>()
                   : span<const float>(values, static_cast<std::size_t>(items() * feature_dim()));
    }
};

} // namespace detail

/* Borrowed a catalog: what only reads. */
using catalog_view = detail::catalog_reader<detail::borrower<alterrec_catalog>>;

/* The items: keys, texts, text features. */
class catalog
    : public detail::catalog_reader<detail::owner<alterrec_catalog, alterrec_catalog_free>> {
  public:
    using catalog_reader::catalog_reader;
    /* A view of it, wherever one is wanted. */
    operator catalog_view() const noexcept {
        return catalog_view(handle());
    }

    /* Items whose keys are "0", "1", ..., without texts. */
    template <class Form = default_form>
    static outcome<Form, catalog> create(std::int64_t items, Form = {}) {
        alterrec_catalog *made = nullptr;
        alterrec_status status = alterrec_catalog_create(&made, nullptr, nullptr, items);
        return detail::finish<Form>(status, catalog(made));
    }
    template <class Form = default_form>
    static outcome<Form, catalog> create(span<const std::string> keys,
                                         span<const std::string> texts = {}, Form = {}) {
        alterrec_catalog *made = nullptr;
        detail::failure f = detail::guarded([&] {
            detail::c_strings key_list(keys), text_list(texts);
            if (!texts.empty() && texts.size() != keys.size())
                return detail::wrong("catalog::create: not as many texts as keys");
            if (!key_list.whole() || !text_list.whole())
                return detail::wrong("catalog::create: a key or a text holds a 0");
            return detail::last_failure(
                alterrec_catalog_create(&made, key_list.data(), text_list.data(), keys.count()));
        });
        return detail::finish<Form>(std::move(f), catalog(made));
    }
    template <class Form = default_form>
    static outcome<Form, catalog> read(const std::string &path, config_view options = {},
                                       Form = {}) {
        alterrec_catalog *made = nullptr;
        detail::failure f = detail::with_text(alterrec_catalog_read, &made, path, options.handle());
        return detail::finish<Form>(std::move(f), catalog(made));
    }

    /* Another holder of what a model, a dataset or another handle lent: it outlives them. */
    static catalog hold(catalog_view lent) noexcept {
        return catalog(alterrec_catalog_hold(lent.handle()));
    }

    /* features: [items, dim]. */
    template <class Form = default_form>
    outcome<Form, void> set_features(span<const float> features, std::int64_t dim, Form = {}) {
        if (!detail::has(features.size(), items(), dim))
            return detail::finish<Form>(
                detail::wrong("catalog::set_features: the span is not [items, dim]"));
        return detail::finish<Form>(
            alterrec_catalog_set_features(handle(), features.data(), items(), dim));
    }
    template <class Form = default_form>
    outcome<Form, void> read_features(const std::string &path, Form = {}) {
        return detail::finish<Form>(
            detail::with_text(alterrec_catalog_read_features, handle(), path));
    }
    template <class Form = default_form>
    outcome<Form, void> hash_features(config_view options = {}, Form = {}) {
        return detail::finish<Form>(alterrec_catalog_hash_features(handle(), options.handle()));
    }
};

namespace detail {

/* What sessions and sessions_view have in common. */
template <class Base> class sessions_reader : public Base {
  public:
    using Base::Base;

    std::int64_t count() const noexcept {
        return alterrec_sessions_count(this->handle());
    }
    std::int64_t interactions() const noexcept {
        return alterrec_sessions_interactions(this->handle());
    }
    /* The items of one session, in the library's memory. */
    template <class Form = default_form>
    outcome<Form, span<const std::int32_t>> get(std::int64_t index, Form = {}) const {
        const std::int32_t *items = nullptr;
        std::int64_t length = 0;
        alterrec_status status = alterrec_sessions_get(&items, &length, this->handle(), index);
        return finish<Form>(status,
                            span<const std::int32_t>(items, static_cast<std::size_t>(length)));
    }
    /* What reading them from a file met. */
    template <class Form = default_form> outcome<Form, data_report> report(Form = {}) const {
        data_report filled;
        alterrec_status status = alterrec_sessions_report(&filled, this->handle());
        return finish<Form>(status, filled);
    }
};

} // namespace detail

/* Borrowed sessions: what only reads. */
using sessions_view = detail::sessions_reader<detail::borrower<alterrec_sessions>>;

/* An ordered set of sessions over one catalog. */
class sessions
    : public detail::sessions_reader<detail::owner<alterrec_sessions, alterrec_sessions_free>> {
  public:
    using sessions_reader::sessions_reader;
    /* A view of it, wherever one is wanted. */
    operator sessions_view() const noexcept {
        return sessions_view(handle());
    }

    /* Session s is items[offsets[s]] to items[offsets[s + 1] - 1]. */
    template <class Form = default_form>
    static outcome<Form, sessions> create(catalog_view items_of, span<const std::int32_t> items,
                                          span<const std::int64_t> offsets, Form = {}) {
        alterrec_sessions *made = nullptr;
        if (offsets.empty() || offsets.back() > items.count())
            return detail::finish<Form>(
                detail::wrong("sessions::create: the offsets do not end within the items"),
                sessions());
        /* The items of no session at all may be an empty span. */
        const std::int32_t nothing = 0;
        alterrec_status status = alterrec_sessions_create(&made, items_of.handle(),
                                                          items.empty() ? &nothing : items.data(),
                                                          offsets.data(), offsets.count() - 1);
        return detail::finish<Form>(status, sessions(made));
    }
    template <class Form = default_form>
    static outcome<Form, sessions> read(catalog_view items_of, const std::string &path,
                                        config_view options = {}, Form = {}) {
        alterrec_sessions *made = nullptr;
        detail::failure f = detail::with_text(alterrec_sessions_read, &made, items_of.handle(),
                                              path, options.handle());
        return detail::finish<Form>(std::move(f), sessions(made));
    }
};

/* Everything one training needs, read from the files that the options data.* name. */
class dataset : public detail::owner<alterrec_dataset, alterrec_dataset_free> {
  public:
    using owner::owner;

    template <class Form = default_form>
    static outcome<Form, dataset> read(config_view options, Form = {}) {
        alterrec_dataset *made = nullptr;
        alterrec_status status = alterrec_dataset_read(&made, options.handle());
        return detail::finish<Form>(status, dataset(made));
    }
    catalog_view catalog() const noexcept {
        return alterrec_dataset_catalog(handle());
    }
    /* Empty if there are none. */
    sessions_view sessions(split which) const noexcept {
        return alterrec_dataset_sessions(handle(), static_cast<std::int32_t>(which));
    }
    template <class Form = default_form> outcome<Form, data_report> report(Form = {}) const {
        data_report filled;
        alterrec_status status = alterrec_dataset_report(&filled, handle());
        return detail::finish<Form>(status, filled);
    }
};

/* Sessions to score or to train on, and working memory: one a thread, used again and again. */
class batch : public detail::owner<alterrec_batch, alterrec_batch_free> {
  public:
    using owner::owner;

    template <class Form = default_form> static outcome<Form, batch> create(Form = {}) {
        alterrec_batch *made = nullptr;
        alterrec_status status = alterrec_batch_create(&made);
        return detail::finish<Form>(status, batch(made));
    }
    template <class Form = default_form> outcome<Form, void> clear(Form = {}) {
        return detail::finish<Form>(alterrec_batch_clear(handle()));
    }
    template <class Form = default_form>
    outcome<Form, void> add(span<const std::int32_t> items, Form = {}) {
        const std::int32_t nothing = 0;
        return detail::finish<Form>(
            alterrec_batch_add(handle(), items.empty() ? &nothing : items.data(), items.count()));
    }
    template <class Form = default_form>
    outcome<Form, void> add_labelled(span<const std::int32_t> items,
                                     span<const std::int32_t> labels, Form = {}) {
        if (items.size() != labels.size())
            return detail::finish<Form>(
                detail::wrong("batch::add_labelled: not as many labels as items"));
        const std::int32_t nothing = 0;
        return detail::finish<Form>(
            alterrec_batch_add_labelled(handle(), items.empty() ? &nothing : items.data(),
                                        items.empty() ? &nothing : labels.data(), items.count()));
    }
    /* negatives: [examples(), per_example]. */
    template <class Form = default_form>
    outcome<Form, void> set_negatives(span<const std::int32_t> negatives, std::int64_t per_example,
                                      Form = {}) {
        if (!detail::has(negatives.size(), examples(), per_example))
            return detail::finish<Form>(
                detail::wrong("batch::set_negatives: the span is not [examples, per_example]"));
        return detail::finish<Form>(
            alterrec_batch_set_negatives(handle(), negatives.data(), examples(), per_example));
    }
    /* From the recommendations of one session. */
    template <class Form = default_form>
    outcome<Form, void> exclude(std::int64_t session, span<const std::int32_t> items, Form = {}) {
        const std::int32_t nothing = 0;
        return detail::finish<Form>(alterrec_batch_exclude(
            handle(), session, items.empty() ? &nothing : items.data(), items.count()));
    }
    /* From those of all of them. */
    template <class Form = default_form>
    outcome<Form, void> exclude(span<const std::int32_t> items, Form form = {}) {
        return exclude(-1, items, form);
    }
    template <class Form = default_form>
    outcome<Form, void> exclude_own(bool exclude = true, Form = {}) {
        return detail::finish<Form>(alterrec_batch_exclude_own(handle(), exclude ? 1 : 0));
    }
    std::int64_t count() const noexcept {
        return alterrec_batch_count(handle());
    }
    std::int64_t examples() const noexcept {
        return alterrec_batch_examples(handle());
    }
};

/* ---------------------------------------------------------------------------------------------
 * Model
 * ------------------------------------------------------------------------------------------- */

/* The weight of the fusion that was chosen, and the metric at each that was tried. */
struct alpha_choice {
    double alpha = 0;          /* the choice */
    std::vector<double> curve; /* the metric at each value, evenly from 0 to 1 */
};

/* The parameters of both towers. */
class model : public detail::owner<alterrec_model, alterrec_model_free> {
  public:
    using owner::owner;

    template <class Form = default_form>
    static outcome<Form, model> create(catalog_view items, config_view options = {}, Form = {}) {
        alterrec_model *made = nullptr;
        alterrec_status status = alterrec_model_create(&made, items.handle(), options.handle());
        return detail::finish<Form>(status, model(made));
    }
    template <class Form = default_form>
    static outcome<Form, model> load(const std::string &path, Form = {}) {
        alterrec_model *made = nullptr;
        detail::failure f = detail::with_text(alterrec_model_load, &made, path);
        return detail::finish<Form>(std::move(f), model(made));
    }
    template <class Form = default_form>
    outcome<Form, void> save(const std::string &path, Form = {}) const {
        return detail::finish<Form>(detail::with_text(alterrec_model_save, handle(), path));
    }
    template <class Form = default_form>
    outcome<Form, void> import_tensors(const std::string &path, Form = {}) {
        return detail::finish<Form>(detail::with_text(alterrec_model_import, handle(), path));
    }
    /* features: [keys, the catalog's feature_dim], or empty: hashed from the texts. */
    template <class Form = default_form>
    outcome<Form, void> add_items(span<const std::string> keys, span<const std::string> texts = {},
                                  span<const float> features = {}, Form = {}) {
        return detail::finish<Form>(detail::guarded([&] {
            detail::c_strings key_list(keys), text_list(texts);
            if (!texts.empty() && texts.size() != keys.size())
                return detail::wrong("model::add_items: not as many texts as keys");
            if (!key_list.whole() || !text_list.whole())
                return detail::wrong("model::add_items: a key or a text holds a 0");
            if (!features.empty() &&
                !detail::has(features.size(), keys.count(), catalog().feature_dim()))
                return detail::wrong("model::add_items: the span is not [keys, feature_dim]");
            return detail::last_failure(alterrec_model_add_items(
                handle(), key_list.data(), text_list.data(),
                features.empty() ? nullptr : features.data(), keys.count()));
        }));
    }

    /* Valid until add_items. */
    catalog_view catalog() const noexcept {
        return alterrec_model_catalog(handle());
    }
    config_view config() const noexcept {
        return alterrec_model_config(handle());
    }
    /* The option model.dim; 0 for an empty handle. */
    std::int64_t dim() const noexcept {
        return alterrec_model_dim(handle());
    }

    std::int64_t tensor_count() const noexcept {
        return alterrec_model_tensor_count(handle());
    }
    template <class Form = default_form>
    outcome<Form, tensor> describe_tensor(std::int64_t index, Form = {}) const {
        tensor filled;
        alterrec_status status = alterrec_model_tensor_describe(&filled, handle(), index);
        return detail::finish<Form>(status, filled);
    }
    template <class Form = default_form>
    outcome<Form, tensor> find_tensor(const std::string &name, Form = {}) const {
        tensor filled;
        detail::failure f = detail::with_text(alterrec_model_tensor_find, &filled, handle(), name);
        return detail::finish<Form>(std::move(f), filled);
    }
    template <class Form = default_form>
    outcome<Form, void> get_tensor(span<float> values, const std::string &name, Form = {}) const {
        return detail::finish<Form>(detail::with_text(alterrec_model_get_tensor, values.data(),
                                                      handle(), name, values.count()));
    }
    template <class Form = default_form>
    outcome<Form, void> set_tensor(const std::string &name, span<const float> values, Form = {}) {
        return detail::finish<Form>(detail::with_text(alterrec_model_set_tensor, handle(), name,
                                                      values.data(), values.count()));
    }

    /* vectors: [items, dim()]. */
    template <class Form = default_form>
    outcome<Form, void> item_vectors(span<float> vectors, scorer tower, Form = {}) const {
        if (!detail::has(vectors.size(), catalog().items(), dim()))
            return detail::finish<Form>(
                detail::wrong("model::item_vectors: the span is not [items, dim]"));
        return detail::finish<Form>(alterrec_model_item_vectors(vectors.data(), handle(),
                                                                static_cast<std::int32_t>(tower)));
    }
    /* vectors: [sessions.count(), dim()]. */
    template <class Form = default_form>
    outcome<Form, void> session_vectors(span<float> vectors, scorer tower, batch &sessions,
                                        Form = {}) const {
        if (!detail::has(vectors.size(), sessions.count(), dim()))
            return detail::finish<Form>(
                detail::wrong("model::session_vectors: the span is not [sessions, dim]"));
        return detail::finish<Form>(alterrec_model_session_vectors(
            vectors.data(), handle(), static_cast<std::int32_t>(tower), sessions.handle()));
    }
    /* scores: [sessions.count(), items]. */
    template <class Form = default_form>
    outcome<Form, void> score(span<float> scores, scorer whose, batch &sessions, Form = {}) const {
        if (!detail::has(scores.size(), sessions.count(), catalog().items()))
            return detail::finish<Form>(
                detail::wrong("model::score: the span is not [sessions, items]"));
        return detail::finish<Form>(alterrec_model_score(
            scores.data(), handle(), static_cast<std::int32_t>(whose), sessions.handle()));
    }

    template <class Form = default_form>
    outcome<Form, alpha_choice> choose_alpha(sessions_view valid, std::int64_t points = 21,
                                             config_view options = {}, Form = {}) {
        alpha_choice choice;
        detail::failure f = detail::guarded([&] {
            choice.curve.resize(points > 0 ? static_cast<std::size_t>(points) : 0);
            return detail::last_failure(
                alterrec_model_choose_alpha(&choice.alpha, choice.curve.data(), handle(),
                                            valid.handle(), points, options.handle()));
        });
        return detail::finish<Form>(std::move(f), std::move(choice));
    }
};

/* ---------------------------------------------------------------------------------------------
 * Trainer
 * ------------------------------------------------------------------------------------------- */

/* Optimizers, schedule and data of one training of a model. */
class trainer {
  public:
    /* Empty, or the owner of a C handle. */
    trainer() noexcept = default;
    explicit trainer(alterrec_trainer *handle) noexcept : owner_(handle) {
    }
    /* The C handle, which stays with this object. */
    alterrec_trainer *handle() const noexcept {
        return owner_.handle();
    }
    /* Whether it holds a handle. */
    explicit operator bool() const noexcept {
        return static_cast<bool>(owner_);
    }

    template <class Form = default_form>
    static outcome<Form, trainer> create(model &trained, sessions_view train,
                                         sessions_view valid = {}, config_view options = {},
                                         Form = {}) {
        alterrec_trainer *made = nullptr;
        alterrec_status status = alterrec_trainer_create(&made, trained.handle(), train.handle(),
                                                         valid.handle(), options.handle());
        return detail::finish<Form>(status, trainer(made));
    }

    /* callback(const alterrec_progress &). */
    template <class Callback, class Form = default_form>
    outcome<Form, void> on_progress(Callback &&callback, Form = {}) {
        return detail::keep<Form>(progress_, std::forward<Callback>(callback), [&](void *kept) {
            return alterrec_trainer_on_progress(
                handle(), detail::call_progress<std::decay_t<Callback>>, kept);
        });
    }
    template <class Form = default_form>
    outcome<Form, void> on_progress(std::nullptr_t, Form = {}) {
        return detail::drop<Form>(progress_,
                                  alterrec_trainer_on_progress(handle(), nullptr, nullptr));
    }
    /* callback(const alterrec_fusion_tile &). */
    template <class Callback, class Form = default_form>
    outcome<Form, void> on_fusion(Callback &&callback, Form = {}) {
        return detail::keep<Form>(fusion_, std::forward<Callback>(callback), [&](void *kept) {
            return alterrec_trainer_on_fusion(handle(), detail::call_fusion<std::decay_t<Callback>>,
                                              kept);
        });
    }
    template <class Form = default_form> outcome<Form, void> on_fusion(std::nullptr_t, Form = {}) {
        return detail::drop<Form>(fusion_, alterrec_trainer_on_fusion(handle(), nullptr, nullptr));
    }
    /* callback(alterrec_plan &, const alterrec_epoch_report *last); last is NULL at first. */
    template <class Callback, class Form = default_form>
    outcome<Form, void> on_schedule(Callback &&callback, Form = {}) {
        return detail::keep<Form>(schedule_, std::forward<Callback>(callback), [&](void *kept) {
            return alterrec_trainer_on_schedule(
                handle(), detail::call_schedule<std::decay_t<Callback>>, kept);
        });
    }
    template <class Form = default_form>
    outcome<Form, void> on_schedule(std::nullptr_t, Form = {}) {
        return detail::drop<Form>(schedule_,
                                  alterrec_trainer_on_schedule(handle(), nullptr, nullptr));
    }
    /* callback(std::int32_t level, const char *message); the message lives for the call. */
    template <class Callback, class Form = default_form>
    outcome<Form, void> on_log(Callback &&callback, Form = {}) {
        return detail::keep<Form>(log_, std::forward<Callback>(callback), [&](void *kept) {
            return alterrec_trainer_on_log(handle(), detail::call_log<std::decay_t<Callback>>,
                                           kept);
        });
    }
    template <class Form = default_form> outcome<Form, void> on_log(std::nullptr_t, Form = {}) {
        return detail::drop<Form>(log_, alterrec_trainer_on_log(handle(), nullptr, nullptr));
    }
    /* callback(span<std::int32_t> negatives, const alterrec_examples &, std::int64_t
     * per_example). */
    template <class Callback, class Form = default_form>
    outcome<Form, void> on_negatives(Callback &&callback, Form = {}) {
        return detail::keep<Form>(negatives_, std::forward<Callback>(callback), [&](void *kept) {
            return alterrec_trainer_on_negatives(
                handle(), detail::call_negatives<std::decay_t<Callback>>, kept);
        });
    }
    template <class Form = default_form>
    outcome<Form, void> on_negatives(std::nullptr_t, Form = {}) {
        return detail::drop<Form>(negatives_,
                                  alterrec_trainer_on_negatives(handle(), nullptr, nullptr));
    }

    /* From any thread. */
    template <class Form = default_form> outcome<Form, void> cancel(Form = {}) const {
        return detail::finish<Form>(alterrec_trainer_cancel(handle()));
    }
    /* The built-in schedule's plan for the next epoch. */
    template <class Form = default_form> outcome<Form, plan> next_plan(Form = {}) const {
        plan filled;
        alterrec_status status = alterrec_trainer_plan(&filled, handle());
        return detail::finish<Form>(status, filled);
    }

    template <class Form = default_form> outcome<Form, void> run(Form = {}) {
        return detail::finish<Form>(alterrec_trainer_run(handle()));
    }
    /* An epoch as the built-in schedule plans it, or as `what` says. */
    template <class Form = default_form> outcome<Form, epoch_report> epoch(Form = {}) {
        epoch_report filled;
        alterrec_status status = alterrec_trainer_epoch(&filled, handle(), nullptr);
        return detail::finish<Form>(status, filled);
    }
    template <class Form = default_form>
    outcome<Form, epoch_report> epoch(const alterrec_plan &what, Form = {}) {
        epoch_report filled;
        alterrec_status status = alterrec_trainer_epoch(&filled, handle(), &what);
        return detail::finish<Form>(status, filled);
    }
    template <class Form = default_form>
    outcome<Form, step_report> step(batch &labelled, Form = {}) {
        step_report filled;
        alterrec_status status =
            alterrec_trainer_step(&filled, handle(), labelled.handle(), nullptr);
        return detail::finish<Form>(status, filled);
    }
    template <class Form = default_form>
    outcome<Form, step_report> step(batch &labelled, const alterrec_plan &what, Form = {}) {
        step_report filled;
        alterrec_status status = alterrec_trainer_step(&filled, handle(), labelled.handle(), &what);
        return detail::finish<Form>(status, filled);
    }
    /* The number of batches of the next epoch, and one of them put into `filled`. */
    std::int64_t batches() const noexcept {
        return alterrec_trainer_batches(handle());
    }
    template <class Form = default_form>
    outcome<Form, void> get_batch(batch &filled, std::int64_t index, Form = {}) const {
        return detail::finish<Form>(alterrec_trainer_batch(filled.handle(), handle(), index));
    }
    template <class Form = default_form> outcome<Form, epoch_report> end_epoch(Form = {}) {
        epoch_report filled;
        alterrec_status status = alterrec_trainer_end_epoch(&filled, handle());
        return detail::finish<Form>(status, filled);
    }
    template <class Form = default_form> outcome<Form, void> use_best(Form = {}) {
        return detail::finish<Form>(alterrec_trainer_use_best(handle()));
    }

    template <class Form = default_form>
    outcome<Form, void> save(const std::string &path, Form = {}) {
        return detail::finish<Form>(detail::with_text(alterrec_trainer_save, handle(), path));
    }
    template <class Form = default_form>
    outcome<Form, void> resume(const std::string &path, Form = {}) {
        return detail::finish<Form>(detail::with_text(alterrec_trainer_resume, handle(), path));
    }
    std::int64_t epochs() const noexcept {
        return alterrec_trainer_epochs(handle());
    }
    template <class Form = default_form>
    outcome<Form, epoch_report> report(std::int64_t epoch, Form = {}) const {
        epoch_report filled;
        alterrec_status status = alterrec_trainer_report(&filled, handle(), epoch);
        return detail::finish<Form>(status, filled);
    }

  private:
    /* Before the handle, so that they end after it. */
    std::shared_ptr<void> progress_, fusion_, schedule_, negatives_, log_;
    detail::owner<alterrec_trainer, alterrec_trainer_free> owner_;
};

/* ---------------------------------------------------------------------------------------------
 * Evaluation
 * ------------------------------------------------------------------------------------------- */

/* The examples whose label occurs low to high - 1 times in the training set. */
struct popularity_group {
    std::int64_t low = 0;      /* from so many */
    std::int64_t high = 0;     /* to fewer than so many; -1: open */
    std::int64_t examples = 0; /* of so many examples */
};

/* Metrics of one evaluation. */
class evaluation : public detail::owner<alterrec_evaluation, alterrec_evaluation_free> {
  public:
    using owner::owner;

    std::int64_t examples() const noexcept {
        return alterrec_evaluation_examples(handle());
    }
    std::int64_t groups() const noexcept {
        return alterrec_evaluation_groups(handle());
    }
    template <class Form = default_form>
    outcome<Form, popularity_group> group(std::int64_t index, Form = {}) const {
        popularity_group filled;
        alterrec_status status =
            alterrec_evaluation_group(&filled.low, &filled.high, &filled.examples, handle(), index);
        return detail::finish<Form>(status, filled);
    }
    template <class Form = default_form>
    outcome<Form, double> value(scorer whose, metric which, std::int64_t k, std::int64_t group = -1,
                                Form = {}) const {
        double filled = 0;
        alterrec_status status =
            alterrec_evaluation_metric(&filled, handle(), static_cast<std::int32_t>(whose),
                                       static_cast<std::int32_t>(which), k, group);
        return detail::finish<Form>(status, filled);
    }
    /* One line of JSON, which lives as long as the evaluation; NULL of an empty handle. */
    const char *json() const noexcept {
        return alterrec_evaluation_json(handle());
    }
};

/* Evaluates in one call; an evaluator also takes callbacks. */
template <class Form = default_form>
outcome<Form, evaluation> evaluate(const model &of, sessions_view held_out,
                                   sessions_view train = {}, config_view options = {}, Form = {}) {
    alterrec_evaluation *made = nullptr;
    alterrec_status status = alterrec_evaluate(&made, of.handle(), held_out.handle(),
                                               train.handle(), options.handle(), nullptr, nullptr);
    return detail::finish<Form>(status, evaluation(made));
}

/* A model together with what its evaluations are made by. */
class evaluator {
  public:
    /* Empty, or the owner of a C handle. */
    evaluator() noexcept = default;
    explicit evaluator(alterrec_evaluator *handle) noexcept : owner_(handle) {
    }
    /* The C handle, which stays with this object. */
    alterrec_evaluator *handle() const noexcept {
        return owner_.handle();
    }
    /* Whether it holds a handle. */
    explicit operator bool() const noexcept {
        return static_cast<bool>(owner_);
    }

    template <class Form = default_form>
    static outcome<Form, evaluator> create(const model &of, config_view options = {}, Form = {}) {
        alterrec_evaluator *made = nullptr;
        alterrec_status status = alterrec_evaluator_create(&made, of.handle(), options.handle());
        return detail::finish<Form>(status, evaluator(made));
    }
    /* callback(const alterrec_progress &). */
    template <class Callback, class Form = default_form>
    outcome<Form, void> on_progress(Callback &&callback, Form = {}) {
        return detail::keep<Form>(progress_, std::forward<Callback>(callback), [&](void *kept) {
            return alterrec_evaluator_on_progress(
                handle(), detail::call_progress<std::decay_t<Callback>>, kept);
        });
    }
    template <class Form = default_form>
    outcome<Form, void> on_progress(std::nullptr_t, Form = {}) {
        return detail::drop<Form>(progress_,
                                  alterrec_evaluator_on_progress(handle(), nullptr, nullptr));
    }
    /* callback(const alterrec_fusion_tile &). */
    template <class Callback, class Form = default_form>
    outcome<Form, void> on_fusion(Callback &&callback, Form = {}) {
        return detail::keep<Form>(fusion_, std::forward<Callback>(callback), [&](void *kept) {
            return alterrec_evaluator_on_fusion(handle(),
                                                detail::call_fusion<std::decay_t<Callback>>, kept);
        });
    }
    template <class Form = default_form> outcome<Form, void> on_fusion(std::nullptr_t, Form = {}) {
        return detail::drop<Form>(fusion_,
                                  alterrec_evaluator_on_fusion(handle(), nullptr, nullptr));
    }
    template <class Form = default_form>
    outcome<Form, evaluation> run(sessions_view held_out, sessions_view train = {}, Form = {}) {
        alterrec_evaluation *made = nullptr;
        alterrec_status status =
            alterrec_evaluator_run(&made, handle(), held_out.handle(), train.handle());
        return detail::finish<Form>(status, evaluation(made));
    }

  private:
    std::shared_ptr<void> progress_, fusion_;
    detail::owner<alterrec_evaluator, alterrec_evaluator_free> owner_;
};

/* ---------------------------------------------------------------------------------------------
 * Recommender
 * ------------------------------------------------------------------------------------------- */

/* What may be recommended at all, whoever asks. Filled by one thread, then shared. */
class filter : public detail::owner<alterrec_filter, alterrec_filter_free> {
  public:
    using owner::owner;

    template <class Form = default_form>
    static outcome<Form, filter> create(std::int64_t items, Form = {}) {
        alterrec_filter *made = nullptr;
        alterrec_status status = alterrec_filter_create(&made, items);
        return detail::finish<Form>(status, filter(made));
    }
    /* bits: one an item, eight a byte, the lowest first. */
    template <class Form = default_form>
    outcome<Form, void> allow_bitmap(span<const std::uint8_t> bits, std::int64_t items, Form = {}) {
        if (items < 0 || bits.count() != items / 8 + (items % 8 != 0))
            return detail::finish<Form>(
                detail::wrong("filter::allow_bitmap: the span has not items / 8 bytes"));
        return detail::finish<Form>(alterrec_filter_allow_bitmap(handle(), bits.data(), items));
    }
    template <class Form = default_form>
    outcome<Form, void> allow_only(span<const std::int32_t> items, Form = {}) {
        const std::int32_t nothing = 0;
        return detail::finish<Form>(alterrec_filter_allow_only(
            handle(), items.empty() ? &nothing : items.data(), items.count()));
    }
    template <class Form = default_form>
    outcome<Form, void> exclude(span<const std::int32_t> items, Form = {}) {
        const std::int32_t nothing = 0;
        return detail::finish<Form>(alterrec_filter_exclude(
            handle(), items.empty() ? &nothing : items.data(), items.count()));
    }
    /* categories: [items]. */
    template <class Form = default_form>
    outcome<Form, void> cap(span<const std::int32_t> categories, std::int64_t per_list, Form = {}) {
        return detail::finish<Form>(
            alterrec_filter_cap(handle(), categories.data(), categories.count(), per_list));
    }
};

/* The best k items of each session, row after row; -1 where there are no more. */
struct recommendations {
    std::int64_t k = 0;              /* the length of a row */
    std::vector<std::int32_t> items; /* [sessions, k] */
    std::vector<float> scores;       /* [sessions, k] */
    search_report met;               /* what the search met */

    /* The number of rows, and what stands in one of them. */
    std::int64_t sessions() const noexcept {
        return k > 0 ? static_cast<std::int64_t>(items.size()) / k : 0;
    }
    span<const std::int32_t> items_of(std::int64_t session) const noexcept {
        return {items.data() + session * k, static_cast<std::size_t>(k)};
    }
    span<const float> scores_of(std::int64_t session) const noexcept {
        return {scores.data() + session * k, static_cast<std::size_t>(k)};
    }
};

namespace detail {

/* Makes room for the k best of each session, and has `search` fill it. k is bounded before memory
 * of its size is taken. */
template <class Search>
failure find(recommendations &filled, std::int64_t sessions, std::int64_t k, catalog_view of,
             Search search) {
    return guarded([&] {
        std::int64_t most = of.items(), within = k < 0 ? 0 : k > most ? most : k;
        std::size_t size = static_cast<std::size_t>(within * sessions) + 1;
        filled.k = k;
        filled.items.resize(size);
        filled.scores.resize(size);
        alterrec_status status = search(filled.items.data(), filled.scores.data());
        filled.items.pop_back();
        filled.scores.pop_back();
        return last_failure(status);
    });
}

} // namespace detail

/* An immutable serving snapshot of a model, which threads share, each with its own batch. */
class recommender {
  public:
    /* Empty, or the owner of a C handle. */
    recommender() noexcept = default;
    explicit recommender(alterrec_recommender *handle) noexcept : owner_(handle) {
    }
    /* The C handle, which stays with this object. */
    alterrec_recommender *handle() const noexcept {
        return owner_.handle();
    }
    /* Whether it holds a handle. */
    explicit operator bool() const noexcept {
        return static_cast<bool>(owner_);
    }

    template <class Form = default_form>
    static outcome<Form, recommender> create(const model &of, config_view options = {}, Form = {}) {
        alterrec_recommender *made = nullptr;
        alterrec_status status = alterrec_recommender_create(&made, of.handle(), options.handle());
        return detail::finish<Form>(status, recommender(made));
    }
    /* A file that save wrote, mapped; of the options compute.threads and serve.verify count. */
    template <class Form = default_form>
    static outcome<Form, recommender> open(const std::string &path, config_view options = {},
                                           Form = {}) {
        alterrec_recommender *made = nullptr;
        detail::failure f =
            detail::with_text(alterrec_recommender_open, &made, path, options.handle());
        return detail::finish<Form>(std::move(f), recommender(made));
    }
    template <class Form = default_form>
    outcome<Form, void> save(const std::string &path, Form = {}) const {
        return detail::finish<Form>(detail::with_text(alterrec_recommender_save, handle(), path));
    }
    /* Another holder of the same snapshot: the last one ends it. From any thread. */
    recommender share() const {
        return recommender(alterrec_recommender_hold(handle()));
    }
    catalog_view catalog() const noexcept {
        return alterrec_recommender_catalog(handle());
    }

    /* items and scores: [sessions.count(), k]; scores may be empty: not wanted. */
    template <class Form = default_form>
    outcome<Form, void> top_k(span<std::int32_t> items, span<float> scores, batch &sessions,
                              std::int64_t k, Form = {}) const {
        return detail::finish<Form>(top(items, scores, sessions, k, nullptr));
    }
    /* As `how` says; `met` is told what was met. */
    template <class Form = default_form>
    outcome<Form, void> top_k(span<std::int32_t> items, span<float> scores, batch &sessions,
                              std::int64_t k, const alterrec_search &how,
                              alterrec_search_report *met = nullptr, Form = {}) const {
        return detail::finish<Form>(top(items, scores, sessions, k, &how, met));
    }
    /* The same in memory of its own. */
    template <class Form = default_form>
    outcome<Form, recommendations> top_k(batch &sessions, std::int64_t k, Form = {}) const {
        recommendations filled;
        detail::failure f = top(filled, sessions, k, nullptr);
        return detail::finish<Form>(std::move(f), std::move(filled));
    }
    template <class Form = default_form>
    outcome<Form, recommendations> top_k(batch &sessions, std::int64_t k,
                                         const alterrec_search &how, Form = {}) const {
        recommendations filled;
        detail::failure f = top(filled, sessions, k, &how);
        return detail::finish<Form>(std::move(f), std::move(filled));
    }

    /* The scores of given items: all four are [sessions.count(), the same]; fused, id and text may
     * be empty: not wanted. */
    template <class Form = default_form>
    outcome<Form, void> score(span<float> fused, span<float> id, span<float> text, batch &sessions,
                              span<const std::int32_t> items, const alterrec_search *how = nullptr,
                              Form = {}) const {
        std::int64_t rows = sessions.count(), columns = rows > 0 ? items.count() / rows : 0;
        for (const span<float> &scores : {fused, id, text})
            if (!scores.empty() && scores.size() != items.size())
                return detail::finish<Form>(
                    detail::wrong("recommender::score: a span has not the size of the items"));
        if (!detail::has(items.size(), rows, columns))
            return detail::finish<Form>(
                detail::wrong("recommender::score: the items are not [sessions, count]"));
        return detail::finish<Form>(alterrec_recommender_score(
            fused.empty() ? nullptr : fused.data(), id.empty() ? nullptr : id.data(),
            text.empty() ? nullptr : text.data(), handle(), sessions.handle(), items.data(),
            columns, how));
    }

    /* Vectors for an index of the host's own. */
    std::int64_t width() const noexcept {
        return alterrec_recommender_width(handle());
    }
    /* vectors: [count, width()]. */
    template <class Form = default_form>
    outcome<Form, void> item_vectors(span<float> vectors, std::int64_t first, std::int64_t count,
                                     Form = {}) const {
        if (!detail::has(vectors.size(), count, width()))
            return detail::finish<Form>(
                detail::wrong("recommender::item_vectors: the span is not [count, width]"));
        return detail::finish<Form>(
            alterrec_recommender_item_vectors(vectors.data(), handle(), first, count));
    }
    /* vectors: [sessions.count(), width()]. */
    template <class Form = default_form>
    outcome<Form, void> session_vectors(span<float> vectors, batch &sessions, Form = {}) const {
        if (!detail::has(vectors.size(), sessions.count(), width()))
            return detail::finish<Form>(
                detail::wrong("recommender::session_vectors: the span is not [sessions, width]"));
        return detail::finish<Form>(
            alterrec_recommender_session_vectors(vectors.data(), handle(), sessions.handle()));
    }
    /* Both as `.npy` files. */
    template <class Form = default_form>
    outcome<Form, void> write_item_vectors(const std::string &path, Form = {}) const {
        return detail::finish<Form>(
            detail::with_text(alterrec_recommender_write_item_vectors, handle(), path));
    }
    template <class Form = default_form>
    outcome<Form, void> write_session_vectors(batch &sessions, const std::string &path,
                                              Form = {}) const {
        return detail::finish<Form>(detail::with_text(alterrec_recommender_write_session_vectors,
                                                      handle(), sessions.handle(), path));
    }

  private:
    detail::failure top(span<std::int32_t> items, span<float> scores, batch &sessions,
                        std::int64_t k, const alterrec_search *how,
                        alterrec_search_report *met = nullptr) const {
        if (!detail::has(items.size(), sessions.count(), k) ||
            (!scores.empty() && scores.size() != items.size()))
            return detail::wrong("recommender::top_k: a span is not [sessions, k]");
        return detail::last_failure(
            alterrec_recommender_top_k(items.data(), scores.empty() ? nullptr : scores.data(), met,
                                       handle(), sessions.handle(), k, how));
    }
    detail::failure top(recommendations &filled, batch &sessions, std::int64_t k,
                        const alterrec_search *how) const {
        return detail::find(
            filled, sessions.count(), k, catalog(), [&](std::int32_t *items, float *scores) {
                return alterrec_recommender_top_k(items, scores, &filled.met, handle(),
                                                  sessions.handle(), k, how);
            });
    }

    detail::owner<alterrec_recommender, alterrec_recommender_free> owner_;
};

/* ---------------------------------------------------------------------------------------------
 * Live sessions
 * ------------------------------------------------------------------------------------------- */

/* A visitor's session, whose items come one by one. It keeps its recommender. */
class live_session {
  public:
    /* Empty. */
    live_session() noexcept = default;
    /* Takes over a C handle; `of` is the recommender that it was made of. */
    live_session(alterrec_live_session *handle, recommender of) noexcept
        : recommender_(std::move(of)), owner_(handle) {
    }
    /* The C handle, which stays with this object. */
    alterrec_live_session *handle() const noexcept {
        return owner_.handle();
    }
    /* Whether it holds a handle. */
    explicit operator bool() const noexcept {
        return static_cast<bool>(owner_);
    }

    /* A session without items. */
    template <class Form = default_form>
    static outcome<Form, live_session> create(const recommender &of, Form = {}) {
        alterrec_live_session *made = nullptr;
        alterrec_status status = alterrec_live_session_create(&made, of.handle());
        return detail::finish<Form>(status, live_session(made, of.share()));
    }

    /* Adds the visitor's next item, on the calling thread alone. */
    template <class Form = default_form> outcome<Form, void> push(std::int32_t item, Form = {}) {
        return detail::finish<Form>(alterrec_live_session_push(handle(), item));
    }
    /* Adds items[s] to sessions[s], all of them or none, on so many threads (0: the recommender's).
     * The sessions are those of an array, or those that pointers name. */
    template <class Form = default_form>
    static outcome<Form, void> push_many(span<live_session> sessions,
                                         span<const std::int32_t> items, std::int32_t threads = 0,
                                         Form = {}) {
        return detail::finish<Form>(push_all(sessions, items, threads));
    }
    template <class Form = default_form>
    static outcome<Form, void> push_many(span<live_session *const> sessions,
                                         span<const std::int32_t> items, std::int32_t threads = 0,
                                         Form = {}) {
        return detail::finish<Form>(push_all(sessions, items, threads));
    }

    /* The number of items. */
    std::int64_t length() const noexcept {
        return alterrec_live_session_length(handle());
    }
    /* All items in their order, in the library's memory until the session changes. */
    span<const std::int32_t> items() const noexcept {
        return {alterrec_live_session_items(handle()), static_cast<std::size_t>(length())};
    }
    /* Takes away all items and exclusions; keeps the memory and exclude_own for the next visitor.
     */
    void reset() noexcept {
        alterrec_live_session_reset(handle());
    }
    /* Whether the session's own items are left out of its lists. */
    template <class Form = default_form>
    outcome<Form, void> exclude_own(bool exclude = true, Form = {}) {
        return detail::finish<Form>(alterrec_live_session_exclude_own(handle(), exclude ? 1 : 0));
    }
    /* Leaves out these items from now on, besides those named before. */
    template <class Form = default_form>
    outcome<Form, void> exclude(span<const std::int32_t> items, Form = {}) {
        const std::int32_t nothing = 0;
        return detail::finish<Form>(alterrec_live_session_exclude(
            handle(), items.empty() ? &nothing : items.data(), items.count()));
    }

    /* items and scores: [k]; scores may be empty: not wanted. */
    template <class Form = default_form>
    outcome<Form, void> top_k(span<std::int32_t> items, span<float> scores, Form = {}) const {
        return detail::finish<Form>(top(items, scores, nullptr));
    }
    /* As `how` says; `met` is told what was met. */
    template <class Form = default_form>
    outcome<Form, void> top_k(span<std::int32_t> items, span<float> scores,
                              const alterrec_search &how, alterrec_search_report *met = nullptr,
                              Form = {}) const {
        return detail::finish<Form>(top(items, scores, &how, met));
    }
    /* The same in memory of its own. */
    template <class Form = default_form>
    outcome<Form, recommendations> top_k(std::int64_t k, Form = {}) const {
        recommendations filled;
        detail::failure f = top(filled, k, nullptr);
        return detail::finish<Form>(std::move(f), std::move(filled));
    }
    template <class Form = default_form>
    outcome<Form, recommendations> top_k(std::int64_t k, const alterrec_search &how,
                                         Form = {}) const {
        recommendations filled;
        detail::failure f = top(filled, k, &how);
        return detail::finish<Form>(std::move(f), std::move(filled));
    }
    /* The lists of many sessions of one recommender, in one search. */
    template <class Form = default_form>
    static outcome<Form, recommendations> top_k_many(span<live_session> sessions, std::int64_t k,
                                                     const alterrec_search *how = nullptr,
                                                     Form = {}) {
        recommendations filled;
        detail::failure f = top_of_all(filled, sessions, k, how);
        return detail::finish<Form>(std::move(f), std::move(filled));
    }
    template <class Form = default_form>
    static outcome<Form, recommendations> top_k_many(span<live_session *const> sessions,
                                                     std::int64_t k,
                                                     const alterrec_search *how = nullptr,
                                                     Form = {}) {
        recommendations filled;
        detail::failure f = top_of_all(filled, sessions, k, how);
        return detail::finish<Form>(std::move(f), std::move(filled));
    }

    /* The scores of given items; fused, id and text may be empty: not wanted. */
    template <class Form = default_form>
    outcome<Form, void> score(span<float> fused, span<float> id, span<float> text,
                              span<const std::int32_t> items, const alterrec_search *how = nullptr,
                              Form = {}) const {
        for (const span<float> &scores : {fused, id, text})
            if (!scores.empty() && scores.size() != items.size())
                return detail::finish<Form>(
                    detail::wrong("live_session::score: a span has not the size of the items"));
        return detail::finish<Form>(alterrec_live_session_score(
            fused.empty() ? nullptr : fused.data(), id.empty() ? nullptr : id.data(),
            text.empty() ? nullptr : text.data(), handle(), items.data(), items.count(), how));
    }

    /* Items and exclusions as bytes, from which restore goes on, also of another recommender over
     * as many items. */
    template <class Form = default_form>
    outcome<Form, std::vector<std::uint8_t>> serialize(Form = {}) const {
        std::vector<std::uint8_t> bytes;
        detail::failure f = detail::guarded([&] {
            bytes.resize(alterrec_live_session_size(handle()));
            return detail::last_failure(
                alterrec_live_session_serialize(bytes.data(), handle(), bytes.size()));
        });
        return detail::finish<Form>(std::move(f), std::move(bytes));
    }
    /* Replaces what the session holds. */
    template <class Form = default_form>
    outcome<Form, void> restore(span<const std::uint8_t> bytes, Form = {}) {
        return detail::finish<Form>(
            alterrec_live_session_restore(handle(), bytes.data(), bytes.size()));
    }

  private:
    static live_session *address(live_session &session) noexcept {
        return &session;
    }
    static live_session *address(live_session *session) noexcept {
        return session;
    }
    /* NULL for none, which the library refuses. */
    template <class Session>
    static std::vector<alterrec_live_session *> handles_of(span<Session> sessions) {
        std::vector<alterrec_live_session *> handles;
        for (Session &session : sessions)
            handles.push_back(address(session) != nullptr ? address(session)->handle() : nullptr);
        return handles;
    }
    template <class Session>
    static detail::failure push_all(span<Session> sessions, span<const std::int32_t> items,
                                    std::int32_t threads) {
        if (items.size() != sessions.size())
            return detail::wrong("live_session::push_many: not as many items as sessions");
        return detail::guarded([&] {
            std::vector<alterrec_live_session *> handles = handles_of(sessions);
            return detail::last_failure(
                alterrec_live_sessions_push(handles.data(), items.data(), items.count(), threads));
        });
    }
    detail::failure top(span<std::int32_t> items, span<float> scores, const alterrec_search *how,
                        alterrec_search_report *met = nullptr) const {
        if (!scores.empty() && scores.size() != items.size())
            return detail::wrong("live_session::top_k: not as many scores as items");
        return detail::last_failure(
            alterrec_live_session_top_k(items.data(), scores.empty() ? nullptr : scores.data(), met,
                                        handle(), items.count(), how));
    }
    detail::failure top(recommendations &filled, std::int64_t k, const alterrec_search *how) const {
        return detail::find(
            filled, 1, k, recommender_.catalog(), [&](std::int32_t *items, float *scores) {
                return alterrec_live_session_top_k(items, scores, &filled.met, handle(), k, how);
            });
    }
    template <class Session>
    static detail::failure top_of_all(recommendations &filled, span<Session> sessions,
                                      std::int64_t k, const alterrec_search *how) {
        const live_session *first = sessions.empty() ? nullptr : address(sessions[0]);
        return detail::find(filled, sessions.count(), k,
                            first != nullptr ? first->recommender_.catalog() : catalog_view(),
                            [&](std::int32_t *items, float *scores) {
                                std::vector<alterrec_live_session *> handles = handles_of(sessions);
                                return alterrec_live_sessions_top_k(items, scores, &filled.met,
                                                                    handles.data(),
                                                                    sessions.count(), k, how);
                            });
    }

    recommender recommender_;
    detail::owner<alterrec_live_session, alterrec_live_session_free> owner_;
};

} // namespace alterrec

#undef ALTERREC_HPP_EXCEPTIONS

#endif /* ALTERREC_ALTERREC_HPP */
