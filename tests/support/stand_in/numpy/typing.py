import types


class NDArray:
    def __class_getitem__(cls, i):
        return types.GenericAlias(cls, i)


class ArrayLike:
    pass


DTypeLike = ArrayLike
