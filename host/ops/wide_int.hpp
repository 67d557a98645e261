// 128-bit integers and reals for exact accumulation and for finishing statistics.
#pragma once

namespace quern {

__extension__ using int128 = __int128;
__extension__ using uint128 = unsigned __int128;
__extension__ using real128 = __float128;

}  // namespace quern
