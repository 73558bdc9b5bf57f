"""A bug that does not fit must fail the build."""

import unittest

import plant

_BUG = 'What is wrong.\n<<<<<<<\nreturn a;\n=======\nreturn b;\n>>>>>>>\n'


class PlantTest(unittest.TestCase):

    def test_a_change_that_fits_once_is_made(self):
        self.assertEqual(plant.plant('{\nreturn a;\n}\n', _BUG), '{\nreturn b;\n}\n')

    def test_a_change_that_fits_nowhere_is_an_error(self):
        with self.assertRaises(ValueError):
            plant.plant('{\nreturn c;\n}\n', _BUG)

    def test_a_change_that_fits_twice_is_an_error(self):
        with self.assertRaises(ValueError):
            plant.plant('return a;\nreturn a;\n', _BUG)

    def test_a_text_without_a_change_is_an_error(self):
        with self.assertRaises(ValueError):
            plant.plant('return a;\n', 'What is wrong.\n')


if __name__ == '__main__':
    unittest.main()
