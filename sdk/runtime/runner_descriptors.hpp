#pragma once

/// The numbers under which a runner process finds what its supervisor gave it.
namespace distributo::runtime::descriptors {

inline constexpr int socket = 3;     ///< stream to the supervisor
inline constexpr int memory = 4;     ///< the SharedPage
inline constexpr int out_end = 5;    ///< where its own stdout can be read
inline constexpr int error_end = 6;  ///< likewise stderr
inline constexpr int count = 7;

}  // namespace distributo::runtime::descriptors
