"""PYTHONPATH=/usr/local/lib/distributo/python python3 -m unittest arithmetic_test"""
import unittest

import arithmetic


class ArithmeticTest(unittest.TestCase):
    def test_double(self):
        self.assertEqual(arithmetic.double(21), 42)
