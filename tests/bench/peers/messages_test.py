"""The bytes are those that Protobuf itself writes."""

import unittest

from google.protobuf import struct_pb2, timestamp_pb2

from tests.bench.peers import messages


class MessagesTest(unittest.TestCase):

    def test_writes_what_protobuf_writes(self):
        self.assertEqual(messages.field(1, 1_700_000_000) + messages.field(2, 300),
                         timestamp_pb2.Timestamp(seconds=1_700_000_000, nanos=300).SerializeToString())
        self.assertEqual(messages.field(2, 0.5), struct_pb2.Value(number_value=0.5).SerializeToString())
        self.assertEqual(messages.field(3, 'ä' * 100), struct_pb2.Value(string_value='ä' * 100).SerializeToString())

    def test_reads_what_protobuf_writes(self):
        value = struct_pb2.Value(list_value=struct_pb2.ListValue(values=[struct_pb2.Value(string_value='a')]))
        self.assertEqual(messages.first(value.SerializeToString(), 6, 1, 3), b'a')
        self.assertIsNone(messages.first(value.SerializeToString(), 6, 2))
        number = struct_pb2.Value(number_value=1.0).SerializeToString()
        self.assertEqual(messages.read(number), [(2, number[1:], number)])


if __name__ == '__main__':
    unittest.main()
